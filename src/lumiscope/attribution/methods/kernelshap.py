"""KernelSHAP: Shapley values of segments, from a regression on the probabilities of pictures with segments hidden.

Source: Lundberg and Lee 2017, "A Unified Approach to Interpreting Model Predictions", section 4.1; how coalitions are
sampled is told in `coalitions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lumiscope.attribution.declared_options import option
from lumiscope.attribution.kept_classes import KeptClasses
from lumiscope.attribution.regions.coalitions import Sampling, choose_coalitions, shapley_values
from lumiscope.attribution.regions.region_method import SegmentValues, region_method
from lumiscope.attribution.regions.region_options import RegionOptions
from lumiscope.attribution.regions.scene import Scene
from lumiscope.attribution.saturation import steadiness
from lumiscope.types import Target

SAMPLES_A_SEGMENT = 5


@dataclass(frozen=True)
class KernelShapOptions(RegionOptions):
    """Options of KernelSHAP.

    `num_samples`: pictures that the model sees, those with all and with no segments among them.
    `sampling`: "leverage" (as many coalitions of every size, none twice) or "kernel" (as in the original). `paired`:
    each coalition with its complement.
    """

    method: ClassVar[str] = "kernelshap"

    num_samples: int = option(1000, at_least=4)
    sampling: Sampling = "leverage"
    paired: bool = True


@region_method(
    "kernelshap",
    title="KernelSHAP",
    citation="Lundberg and Lee 2017, A Unified Approach to Interpreting Model Predictions, arXiv:1705.07874",
    passes="num_samples forwards (1000), or 2^segments where that is less",
    options=KernelShapOptions,
)
def kernelshap(scene: Scene, target: Target, options: KernelShapOptions) -> SegmentValues:
    """How much of the target's probability each segment brings; `.values` paints that on the view, signed.

    The values add up to the probability of the view minus that of the view with everything hidden. Needs `predict`
    alone.
    """
    count, generator = scene.count, np.random.default_rng(scene.seed)
    coalitions = choose_coalitions(count, options.num_samples - 2, generator, options.sampling, paired=options.paired)
    ends = np.array([[False], [True]]).repeat(count, axis=1)
    shown = np.concatenate([ends, coalitions.members])
    scores = scene.probabilities(shown, KeptClasses(target.index))[:, 0]
    nobody, everybody = float(scores[0]), float(scores[1])
    details: dict[str, Any] = {
        "probability_of_nothing": nobody,
        "probability_of_all": everybody,
        "segments": count,
        "evaluations": len(shown),
        "exact": coalitions.exact,
    }
    steady = steadiness(scores) if scene.predictor.score_name == "probability" else None
    if warnings := [*_warnings(count, len(shown), coalitions.exact), *([steady] if steady else [])]:
        details["warnings"] = warnings
    if np.isfinite(scores).all():
        values = shapley_values(coalitions, scores[2:], nobody, everybody)
    else:
        values = np.full(count, np.nan)
        details["undefined"] = "the model gives NaN or infinity for pictures with hidden segments"
    return SegmentValues(values, details)


def _warnings(segments: int, evaluations: int, exact: bool) -> list[str]:
    """What makes the explanation doubtful, in words."""
    if segments == 1:
        return ["the view is a single segment, which gets everything: choose another segmenter"]
    if not exact and evaluations < SAMPLES_A_SEGMENT * segments:
        return [f"{evaluations} samples are few for {segments} segments: take {SAMPLES_A_SEGMENT} for each"]
    return []
