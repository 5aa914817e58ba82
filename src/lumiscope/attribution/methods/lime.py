"""LIME for images: a weighted linear model of what hiding segments does to the class probability.

Source: Ribeiro et al. 2016, "Why Should I Trust You?", section 3, as lime 0.2.0.1 computes it for images: with the same
`random_seed` the same samples and, up to rounding, the same coefficients. Beyond lime: other segmenters, ways to hide
and designs, an interval for every coefficient, and a number of samples that follows the picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lumiscope.attribution.kept_classes import KeptClasses
from lumiscope.attribution.regions.designs import DESIGNS, Design
from lumiscope.attribution.regions.lime_estimate import Estimate, Sampled
from lumiscope.attribution.regions.lime_options import LimeOptions
from lumiscope.attribution.regions.lime_samples import take_enough_samples, take_samples
from lumiscope.attribution.regions.local_regression import LinearFit
from lumiscope.attribution.regions.region_method import SegmentValues, region_method
from lumiscope.attribution.regions.scene import Scene
from lumiscope.attribution.saturation import steadiness
from lumiscope.types import Target

LOW_R2 = 0.5


@region_method(
    "lime",
    title="LIME",
    citation='Ribeiro et al. 2016, "Why Should I Trust You?", arXiv:1602.04938',
    passes="num_samples forwards (1000)",
    options=LimeOptions,
)
def lime(scene: Scene, target: Target, options: LimeOptions) -> SegmentValues:
    """Coefficients of segments; `.values` paints them on the view. Needs `predict` alone."""
    design, stopped = DESIGNS[options.design], ""
    kept = KeptClasses(target.index, options.top_labels)
    if options.num_samples == "auto":
        sampled, stopped = take_enough_samples(scene, options, kept)
    else:
        sampled = take_samples(scene, design, options.num_samples, kept)
    top = kept.ranked
    estimates = {label: Estimate.of(sampled.of(label), design) for label in {target.index, *map(int, top)}}
    fits = {label: estimate.model(options.num_features) for label, estimate in estimates.items()}
    fit, segments = fits[target.index]
    segment_count = len(fit.coefficients)
    return SegmentValues(
        fit.coefficients,
        _details(fit, sampled.of(target.index), design, stopped, scene.predictor.score_name),
        intervals=estimates[target.index].intervals(fit, segments, options.confidence),
        top_classes=top,
        top_coefficients=np.array([fits[int(label)][0].coefficients for label in top]).reshape(len(top), segment_count),
    )


def _details(fit: LinearFit, sampled: Sampled, design: Design, stopped: str, watched: str) -> dict[str, Any]:
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
    steady = steadiness(sampled.values) if watched == "probability" else None
    if warnings := _warnings(fit, count, segments, design, watched, steady):
        details["warnings"] = warnings
    return details


def _warnings(fit: LinearFit, count: int, segments: int, design: Design, watched: str, steady: str | None) -> list[str]:
    """What makes the explanation doubtful, in words.

    `watched`: what hiding segments changes, in a word. `steady`: why it changes too little to tell; None: it changes.
    """
    if segments == 1:
        return ["the whole view is one segment, so there is nothing to tell apart: choose another segmenter"]
    warnings = []
    needed = design.samples_a_segment * segments
    if count < needed:
        warnings.append(f"{count} samples are few for {segments} segments: take {needed} or more, or fewer segments")
    if steady is not None:
        warnings.append(steady)
    elif np.isnan(fit.r2):
        warnings.append(f"hiding segments never changes the {watched}: there is nothing to explain")
    elif fit.r2 < LOW_R2:
        warnings.append(
            f"the segments shown explain only {max(fit.r2, 0):.0%} of how the {watched} changes (R² {fit.r2:.2f}): "
            "segments act together, or too few of them have a coefficient (num_features)"
        )
    return warnings
