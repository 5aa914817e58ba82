"""LIME for images: a weighted linear model of what hiding segments does to the class probability.

Source: Ribeiro et al. 2016, "Why Should I Trust You?", section 3, as lime 0.2.0.1 computes it for images: with the same
`random_seed` the same samples and, up to rounding, the same coefficients. Beyond lime: other segmenters, ways to hide
and designs, an interval for every coefficient, and a number of samples that follows the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lumiscope.attribution.regions.designs import DESIGNS, Design, draw_samples
from lumiscope.attribution.regions.lime_estimate import ALPHA, Estimate, Sampled
from lumiscope.attribution.regions.lime_options import LimeOptions
from lumiscope.attribution.regions.local_regression import LinearFit, Moments, choose_columns, weighted_r2
from lumiscope.attribution.regions.population import proximity
from lumiscope.attribution.regions.region_method import SegmentValues, region_method
from lumiscope.attribution.regions.scene import Scene
from lumiscope.attribution.regions.stopping import block_ends, stability
from lumiscope.types import DoubleArray, Target

LOW_R2 = 0.5
__all__ = ["LimeOptions", "draw_samples", "lime", "local_model", "proximity"]


@region_method(
    "lime",
    title="LIME",
    citation='Ribeiro et al. 2016, "Why Should I Trust You?", arXiv:1602.04938',
    passes="num_samples forwards (1000)",
    options=LimeOptions,
)
def lime(scene: Scene, target: Target, options: LimeOptions) -> SegmentValues:
    """Coefficients of segments; `.values` paints them on the view. Needs `predict` alone."""
    sampled, stopped = _sample(scene, target, options)
    design = DESIGNS[options.design]
    top = np.argsort(-sampled.probabilities[0], kind="stable")[: options.top_labels]
    estimates = {label: Estimate.of(sampled.of(label), design) for label in {target.index, *map(int, top)}}
    fits = {label: estimate.model(options.num_features) for label, estimate in estimates.items()}
    fit, kept = fits[target.index]
    segment_count = len(fit.coefficients)
    return SegmentValues(
        fit.coefficients,
        _details(fit, sampled, design, stopped, scene.predictor.score_name),
        intervals=estimates[target.index].intervals(fit, kept, options.confidence),
        top_classes=top.astype(np.int64),
        top_coefficients=np.array([fits[int(label)][0].coefficients for label in top]).reshape(len(top), segment_count),
    )


@dataclass(frozen=True)
class _Samples:
    """(n, d) samples, (n,) kernel weights and (n, classes) probabilities."""

    samples: DoubleArray
    weights: DoubleArray
    probabilities: DoubleArray

    def of(self, label: int) -> Sampled:
        """What was seen of one class."""
        return Sampled(self.samples, self.probabilities[:, label], self.weights)


def _sample(scene: Scene, target: Target, options: LimeOptions) -> tuple[_Samples, str]:
    """As many samples as asked for, or as the choice of segments needs; and why no more, in words."""
    count, seed, design = scene.count, scene.seed, DESIGNS[options.design]
    if options.num_samples != "auto":
        samples = design.draw(seed, options.num_samples, count)
        return _Samples(samples, proximity(samples), scene.probabilities(samples > 0)), ""
    samples = design.draw(seed, options.max_samples, count)
    weights, seen = proximity(samples), [np.zeros((0, len(scene.predictor.model.classes)))]
    agreement, end = 0.0, 0
    for stop in block_ends(design.samples_a_segment * count, options.max_samples):
        seen.append(scene.probabilities(samples[end:stop] > 0))
        end = stop
        made = _Samples(samples[:end], weights[:end], np.concatenate(seen))
        estimate = Estimate.of(made.of(target.index), design)
        agreement = stability(estimate.everything, estimate.covariance, options.num_features, seed)
        if agreement >= options.confidence:
            break
    said = f"{agreement:.0%} of the best {min(options.num_features, count)} segments would be chosen again"
    enough = agreement >= options.confidence
    return made, f"{said}: stable" if enough else f"{said}: not stable, stopped at max_samples={options.max_samples}"


def _details(fit: LinearFit, sampled: _Samples, design: Design, stopped: str, watched: str) -> dict[str, Any]:
    count, segments = sampled.samples.shape
    details: dict[str, Any] = {
        "intercept": fit.intercept,
        "r2": fit.r2,
        "local_prediction": fit.intercept + float(fit.coefficients.sum()),
        "segments": segments,
        "samples": count,
    }
    if stopped:
        details["stopped"] = stopped
    if warnings := _warnings(fit, count, segments, design, watched):
        details["warnings"] = warnings
    return details


def _warnings(fit: LinearFit, count: int, segments: int, design: Design, watched: str) -> list[str]:
    """What makes the explanation doubtful, in words. `watched`: what hiding segments changes, in a word."""
    if segments == 1:
        return ["the whole view is one segment, so there is nothing to tell apart: choose another segmenter"]
    warnings = []
    needed = design.samples_a_segment * segments
    if count < needed:
        warnings.append(f"{count} samples are few for {segments} segments: take {needed} or more, or fewer segments")
    if np.isnan(fit.r2):
        warnings.append(f"hiding segments never changes the {watched}: there is nothing to explain")
    elif fit.r2 < LOW_R2:
        warnings.append(
            f"the segments shown explain only {max(fit.r2, 0):.0%} of how the {watched} changes (R² {fit.r2:.2f}): "
            "segments act together, or too few of them have a coefficient (num_features)"
        )
    return warnings


def local_model(samples: DoubleArray, values: DoubleArray, weights: DoubleArray, num_features: int) -> LinearFit:
    """lime's own model: ridge with alpha 1 on the chosen segments; the others' coefficients are 0.

    Up to 6 features are chosen by forward selection, more by the highest weights.
    """
    moments = Moments.of(samples, values, weights)
    coefficients, intercept = moments.ridge(choose_columns(moments, num_features), ALPHA)
    return LinearFit(coefficients, intercept, weighted_r2(values, intercept + samples @ coefficients, weights))
