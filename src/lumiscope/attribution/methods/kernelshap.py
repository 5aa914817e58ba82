"""KernelSHAP: Shapley values of segments, from a regression on the probabilities of pictures with segments hidden.

Source: Lundberg and Lee 2017, "A Unified Approach to Interpreting Model Predictions", section 4.1; how coalitions are
sampled is told in `coalitions`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lumiscope.attribution.pixel_maps import HideColor, check_color
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.regions.coalitions import Sampling, choose_coalitions, shapley_values
from lumiscope.attribution.regions.hiding import hidden_picture
from lumiscope.attribution.regions.segmenters import check_segmenter
from lumiscope.attribution.registry import attribution_method
from lumiscope.errors import UsageError
from lumiscope.types import BoolArray, DoubleArray, IntArray, SaliencyMap, SegmentMap, Target

SAMPLES_A_SEGMENT = 5


@dataclass(frozen=True)
class KernelShapOptions:
    """Options of KernelSHAP.

    `num_samples`: pictures that the model sees, those with all and with no segments among them. `segmenter` and
    `segmenter_options`: as in LIME. `hide_color`: None hides a segment in its mean colour, a grey value or (r, g, b) in
    that colour. `sampling`: "leverage" (as many coalitions of every size, none twice) or "kernel" (as in the original).
    `paired`: each coalition with its complement. `num_features`: segments that `mask()` shows at most. `random_seed`:
    None derives it from the study's seed and the image.
    """

    num_samples: int = 1000
    segmenter: str = "quickshift"
    segmenter_options: Mapping[str, Any] = field(default_factory=dict)
    hide_color: HideColor = None
    sampling: Sampling = "leverage"
    paired: bool = True
    num_features: int = 10
    random_seed: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("num_samples", 4), ("num_features", 1), ("random_seed", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"kernelshap: expected {name} of at least {least}; got {value}")
        check_segmenter(self.segmenter, self.segmenter_options)
        check_color("kernelshap", self.hide_color)


@attribution_method(
    "kernelshap",
    title="KernelSHAP",
    citation="Lundberg and Lee 2017, A Unified Approach to Interpreting Model Predictions, arXiv:1705.07874",
    passes="num_samples forwards (1000), or 2^segments where that is less",
    options=KernelShapOptions,
    perturbs=True,
    mask_rule="lime",
)
def kernelshap(prepared: PreparedBatch, targets: Sequence[Target], options: KernelShapOptions) -> list[SaliencyMap]:
    """How much of the target's probability each segment brings; `.values` paints that on the view, signed.

    The values add up to the probability of the view minus that of the view with everything hidden. Needs `predict`
    alone.
    """
    return [_explain(prepared, row, target, options) for row, target in enumerate(targets)]


def _explain(prepared: PreparedBatch, row: int, target: Target, options: KernelShapOptions) -> SegmentMap:
    view = prepared.views[row]
    segments = prepared.segments(row, options.segmenter, options.segmenter_options)
    count = int(segments.max()) + 1
    seed = prepared.seed_for(row, "kernelshap") if options.random_seed is None else options.random_seed
    generator = np.random.default_rng(seed)
    coalitions = choose_coalitions(count, options.num_samples - 2, generator, options.sampling, paired=options.paired)
    ends = np.array([[False], [True]]).repeat(count, axis=1)
    shown = np.concatenate([ends, coalitions.members])
    scores = _probabilities(prepared, row, segments, shown, options.hide_color)[:, target.index]
    nobody, everybody = float(scores[0]), float(scores[1])
    details = {
        "probability_of_nothing": nobody,
        "probability_of_all": everybody,
        "segments": count,
        "evaluations": len(shown),
        "exact": coalitions.exact,
    } | _warning(count, len(shown), coalitions.exact)
    if np.isfinite(scores).all():
        values = shapley_values(coalitions, scores[2:], nobody, everybody)
    else:
        values = np.full(count, np.nan)
        details["undefined"] = "the model gives NaN or infinity for pictures with hidden segments"
    return SegmentMap(
        item_id=view.item_id,
        method="kernelshap",
        target=target,
        values=values[segments].astype(np.float32),
        options=dataclasses.asdict(options),
        details=details,
        segments=segments,
        coefficients=values,
        num_features=options.num_features,
    )


def _warning(segments: int, evaluations: int, exact: bool) -> dict[str, Any]:
    """What a reader must know of so many segments and evaluations, in words."""
    if segments == 1:
        return {"warning": "the view is a single segment, which gets everything: choose another segmenter"}
    if not exact and evaluations < SAMPLES_A_SEGMENT * segments:
        return {"warning": f"{evaluations} samples are few for {segments} segments: take {SAMPLES_A_SEGMENT} for each"}
    return {}


def _probabilities(
    prepared: PreparedBatch, row: int, segments: IntArray, shown: BoolArray, hide_color: HideColor
) -> DoubleArray:
    """(n, classes) probabilities of the view with only the `shown` segments, (n, d), to be seen."""
    pixels = prepared.views[row].pixels
    hidden = hidden_picture(pixels, segments, "mean" if hide_color is None else "color", hide_color, seed=0)

    def masks(start: int, stop: int) -> BoolArray:
        return np.asarray(np.take(shown[start:stop], segments, axis=1))

    return prepared.probabilities_of(prepared.blended(row, hidden, masks, len(shown)))
