"""LIME for images: a weighted linear model of what hiding segments does to the class probability.

Source: Ribeiro et al. 2016, "Why Should I Trust You?", section 3, as lime 0.2.0.1 computes it for images: with the same
`random_seed` the same samples and, up to rounding, the same coefficients.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.attribution.local_regression import LinearFit, forward_selection, highest_weights, weighted_ridge
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.registry import attribution_method
from lumiscope.attribution.segmentation import quickshift_segments, segment_means
from lumiscope.errors import UsageError
from lumiscope.types import BoolArray, DoubleArray, IntArray, SaliencyMap, SegmentMap, Target

KERNEL_WIDTH = 0.25


@dataclass(frozen=True)
class LimeOptions:
    """Options of LIME, named as in the lime package.

    `num_samples`: pictures with hidden segments. `num_features`: segments that get a coefficient, and that `mask()`
    shows at most. `hide_color`: None hides a segment in its mean colour, a number or (r, g, b) in that colour.
    `top_labels`: classes, the most probable first, that get coefficients beside the target. `random_seed`: None derives
    it from the study's seed and the image.
    """

    num_samples: int = 1000
    num_features: int = 10
    hide_color: int | tuple[int, int, int] | None = None
    top_labels: int = 1
    random_seed: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("num_samples", 2), ("num_features", 1), ("top_labels", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"lime: expected {name} of at least {least}; got {getattr(self, name)}")
        colours = self.hide_color if isinstance(self.hide_color, tuple) else (self.hide_color or 0,)
        if not all(0 <= colour <= 255 for colour in colours):
            raise UsageError(f"lime: expected hide_color from 0 to 255; got {self.hide_color}")
        if self.random_seed is not None and not 0 <= self.random_seed < 2**32:
            raise UsageError(f"lime: expected a random_seed from 0 to 2^32 - 1; got {self.random_seed}")


@attribution_method(
    "lime",
    title="LIME",
    citation='Ribeiro et al. 2016, "Why Should I Trust You?", arXiv:1602.04938',
    passes="num_samples forwards (1000)",
    options=LimeOptions,
    perturbs=True,
    version=2,
    mask_rule="lime",
)
def lime(prepared: PreparedBatch, targets: Sequence[Target], options: LimeOptions) -> list[SaliencyMap]:
    """Coefficients of segments; `.values` paints them on the view. Needs `predict` alone."""
    return [_explain(prepared, row, target, options) for row, target in enumerate(targets)]


def _explain(prepared: PreparedBatch, row: int, target: Target, options: LimeOptions) -> SegmentMap:
    view = prepared.views[row]
    segments = quickshift_segments(view.pixels)
    seed = prepared.seed_for(row, "lime") if options.random_seed is None else options.random_seed
    count = int(segments.max()) + 1
    samples = draw_samples(seed, options.num_samples, count)
    probabilities = _probabilities(prepared, row, segments, samples, options)
    weights = proximity(samples)
    top = np.argsort(-probabilities[0], kind="stable")[: options.top_labels]
    fits = {
        int(label): local_model(samples, probabilities[:, label], weights, options.num_features)
        for label in (target.index, *top)
    }
    fit = fits[target.index]
    return SegmentMap(
        item_id=view.item_id,
        method="lime",
        target=target,
        values=fit.coefficients[segments].astype(np.float32),
        options=dataclasses.asdict(options),
        details={
            "intercept": fit.intercept,
            "r2": fit.r2,
            "local_prediction": fit.intercept + float(fit.coefficients.sum()),
            "segments": count,
        },
        segments=segments,
        coefficients=fit.coefficients,
        num_features=options.num_features,
        top_classes=top.astype(np.int64),
        top_coefficients=np.array([fits[int(label)].coefficients for label in top]).reshape(len(top), count),
    )


def draw_samples(seed: int, count: int, segments: int) -> DoubleArray:
    """(n, d) of 0 (hidden) and 1 (shown), row 0 all shown; the very draws that lime makes from this seed."""
    legacy = np.random.RandomState(seed)
    samples = legacy.randint(0, 2, count * segments).reshape(count, segments)
    samples[0] = 1
    return samples.astype(np.float64)


def proximity(samples: DoubleArray) -> DoubleArray:
    """(n,) kernel weights sqrt(exp(-D^2 / 0.25^2)), D = 1 - sqrt(shown / segments): cosine distance to row 0."""
    distance = 1 - np.sqrt(samples.mean(axis=1))
    return np.asarray(np.sqrt(np.exp(-(distance**2) / KERNEL_WIDTH**2)))


def local_model(samples: DoubleArray, values: DoubleArray, weights: DoubleArray, num_features: int) -> LinearFit:
    """Ridge with alpha 1 on the chosen segments; the others' coefficients are 0.

    Up to 6 features are chosen by forward selection, more by the highest weights.
    """
    select = forward_selection if num_features <= 6 else highest_weights
    kept = select(samples, values, weights, num_features)
    fit = weighted_ridge(samples[:, kept], values, weights, alpha=1)
    coefficients = np.zeros(samples.shape[1])
    coefficients[kept] = fit.coefficients
    return LinearFit(coefficients, fit.intercept, fit.r2)


def _probabilities(
    prepared: PreparedBatch, row: int, segments: IntArray, samples: DoubleArray, options: LimeOptions
) -> DoubleArray:
    """(n, classes) probabilities of the picture with each sample's segments hidden."""
    hidden = segment_means(prepared.views[row].pixels, segments)
    if options.hide_color is not None:
        hidden[:] = options.hide_color
    shown = samples > 0

    def masks(start: int, stop: int) -> BoolArray:
        return np.asarray(np.take(shown[start:stop], segments, axis=1))

    return prepared.probabilities_of(prepared.blended(row, hidden, masks, len(samples)))
