"""What a map looks like: how far it extends, how sharp it is, how much of its weight lies where."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lumiscope.types import BoolArray, DoubleArray, FloatArray


@dataclass(frozen=True)
class MapShape:
    """Numbers of one map, all NaN where it shows nothing.

    `extent`: smallest share of the pixels that holds half of the weight. `entropy`: Shannon entropy of the weight over
    pixels, as a share of that of a flat map. `gini`: 0 for a flat map, (n - 1) / n for a single of n pixels. `contour`:
    mean length of the contours over all levels from 0 to the maximum, in sides of the view (the square root of its
    area): by the coarea formula the total variation. `sharpness`: the mean slope, weighted by itself, with the maximum
    as 1 and the side of the view as 1. `inside`: share of the weight in the region asked for; NaN without one.
    """

    extent: float
    entropy: float
    gini: float
    contour: float
    sharpness: float
    inside: float


NOTHING = MapShape(*[math.nan] * 6)


def measure_map(shown: FloatArray, truth: BoolArray | None = None, void: BoolArray | None = None) -> MapShape:
    """Measure a map as it is displayed. `shown`: (H, W) in [0, 1]; no number changes where it is scaled.

    `truth`: (H, W) bool, the region of which the share of the weight is asked for; `void`: pixels that do not count for
    that share. Sources: Shannon 1948; for Gini as sparseness of a map Chalasani et al. 2020, Concise explanations of
    neural networks using adversarial training; Federer 1959 for the coarea formula.
    """
    weights = np.asarray(shown, np.float64)
    total = float(weights.sum())
    if not np.isfinite(total) or total <= 0:
        return NOTHING
    rising = np.sort(weights, axis=None)
    return MapShape(
        extent=_extent(rising),
        entropy=_entropy(rising / total),
        gini=_gini(rising),
        **_slopes(weights / rising[-1]),
        inside=_inside(weights, truth, void),
    )


def _extent(rising: DoubleArray) -> float:
    held = np.cumsum(rising[::-1])
    return float(np.searchsorted(held, held[-1] / 2) + 1) / len(rising)


def _entropy(shares: DoubleArray) -> float:
    if len(shares) < 2:
        return 0.0
    positive = shares[shares > 0]
    return max(0.0, float(-(positive * np.log(positive)).sum()) / math.log(len(shares)))


def _gini(rising: DoubleArray) -> float:
    count = len(rising)
    return float((2 * np.arange(1, count + 1) - count - 1) @ rising / (count * rising.sum()))


def _slopes(relative: DoubleArray) -> dict[str, float]:
    side = math.sqrt(relative.size)
    down = np.diff(relative, axis=0, append=relative[-1:])
    right = np.diff(relative, axis=1, append=relative[:, -1:])
    slopes = np.hypot(down, right)
    variation = float(slopes.sum())
    sharpness = side * float((slopes**2).sum()) / variation if variation else 0.0
    return {"contour": variation / side, "sharpness": sharpness}


def _inside(weights: DoubleArray, truth: BoolArray | None, void: BoolArray | None) -> float:
    if truth is None or not truth.any():
        return math.nan
    known = float(weights.sum() if void is None else weights[~void].sum())
    return float(weights[truth].sum()) / known if known > 0 else math.nan
