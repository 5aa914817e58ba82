"""What can be said of a layer's units without any concept: how active they are, where, and in what shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.columns import Columns
from lumiscope.dissection._selection import blocks
from lumiscope.dissection.top_images import most_active_images
from lumiscope.types import BoolArray, DoubleArray, FloatArray, IntArray

BINS = 20
TOP_SHARE = 20  # one image in so many is among the highest
SHAPE = ("above", "below", "spread", "cubed spread", "positive", "peak", "top", "mean")


@dataclass(frozen=True)
class UnitFacts:
    """Facts about U units over D images.

    `not_finite`: (U,) on how many images the activation is NaN or infinite; `first_not_finite`: (U,) the first of them,
    -1 for none. `finite`, `constant`: (U,) bool; a unit that is not finite is not constant. `span`: (U, 2) lowest and
    highest activation; NaN for a unit that is not finite. `histogram`: (U, 20) counts in equally wide bins over the
    span, the last one closed; 0 for a unit that is not finite. `top_images`, `top_activations`: (U, n).
    `shape`: (U, 8), see `_shape`; NaN for a unit that is constant or not finite.
    """

    not_finite: IntArray
    first_not_finite: IntArray
    finite: BoolArray
    constant: BoolArray
    span: FloatArray
    histogram: IntArray
    top_images: IntArray
    top_activations: FloatArray
    shape: DoubleArray

    @property
    def live(self) -> IntArray:
        """The units that can be compared with concepts."""
        return np.flatnonzero(self.finite & ~self.constant)


def describe_units(activations: Columns, top_images: int) -> UnitFacts:
    """Look at each unit once, a block at a time. `activations`: (D, U). `top_images`: how many to keep of each."""
    num_images, num_units = activations.shape
    count = min(top_images, num_images)
    facts = UnitFacts(
        not_finite=np.zeros(num_units, np.int64),
        first_not_finite=np.full(num_units, -1),
        finite=np.zeros(num_units, np.bool_),
        constant=np.zeros(num_units, np.bool_),
        span=np.full((num_units, 2), np.nan, np.float32),
        histogram=np.zeros((num_units, BINS), np.int64),
        top_images=np.zeros((num_units, count), np.int64),
        top_activations=np.zeros((num_units, count), np.float32),
        shape=np.full((num_units, len(SHAPE)), np.nan),
    )
    for where in blocks(activations, 2):
        block = activations[:, where]
        facts.top_images[where] = images = most_active_images(block, count)
        facts.top_activations[where] = np.take_along_axis(block, images.T, axis=0).T
        broken = ~np.isfinite(block)
        facts.not_finite[where] = np.count_nonzero(broken, axis=0)
        facts.finite[where] = facts.not_finite[where] == 0
        facts.first_not_finite[where] = np.where(facts.finite[where], -1, broken.argmax(axis=0))
        facts.constant[where] = facts.finite[where] & (block == block[:1]).all(axis=0)
        for unit in np.flatnonzero(facts.finite[where]):
            column = np.ascontiguousarray(block[:, unit], np.float64)
            place = where.start + unit
            facts.span[place] = lowest, highest = column.min(), column.max()
            facts.histogram[place] = np.histogram(column, BINS, (lowest, highest))[0]
            if not facts.constant[place]:
                facts.shape[place] = _shape(column)
    return facts


def _shape(activation: NDArray[np.floating[Any]]) -> tuple[float, ...]:
    """What the null distribution of a label's correlation depends on, apart from the concepts; on comparable scales.

    Of a column of D activations that is not constant: log2 of the share of images above, and of that below, the value
    that most images have (the lowest one, where no value is on more than 1 % of images); log2 of how many images the
    deviations from the mean are spread over (1 / Σ of the squared shares of the sum of squares), and the same for the
    cubed deviations; what share of the squared cubes lies above the mean; and the share of the mean in the length of
    the column. A unit that is active on few images has low numbers.
    """
    num_images = len(activation)
    values, counts = np.unique(activation, return_counts=True)
    common = values[counts.argmax()] if counts.max() > max(0.01 * num_images, 1) else values[0]
    above, below = np.mean(activation > common), np.mean(activation < common)
    deviations = activation - activation.mean()
    deviations /= np.abs(deviations).max()
    squares = deviations**2
    sixth = squares**3
    top = np.sort(deviations)[-max(num_images // TOP_SHARE, 2) :]
    top_sixth = (top - top[0]) ** 6
    length = np.sqrt(np.mean((activation / np.abs(activation).max()) ** 2))
    return (
        float(np.log2(above + 1 / num_images)),
        float(np.log2(below + 1 / num_images)),
        _spread(squares),
        _spread(sixth),
        float(sixth[deviations > 0].sum() / sixth.sum()),
        float(deviations.max() ** 3 / np.sqrt(sixth.sum())),
        _spread(top_sixth),
        float(np.mean(activation / np.abs(activation).max()) / length),
    )


def _spread(weights: DoubleArray) -> float:
    """Log2 of how many entries `weights` >= 0 are spread over; 0 where all are 0."""
    total = (weights**2).sum()
    return float(np.log2(weights.sum() ** 2 / total)) if total > 0 else 0.0
