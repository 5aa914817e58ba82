"""Ablation-CAM: channels weighted by how far the score falls without them.

Source: Desai and Ramaswamy 2020, "Ablation-CAM: Visual Explanations for Deep Convolutional Network via Gradient-free
Localization", equation 5, but for its denominator: the score S, which a constant added to a logit makes negative, is
taken without its sign, so that no such constant turns the map inside out. An ablated channel is 0, as in the paper;
grad-cam 1.5.7 does so only after a ReLU layer. Where the head is pooling and a linear layer, S - S_k is
W[class, k] * mean(A_k), and nothing is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from lumiscope.attribution.cam import LayerMaps, cam_method, weighted_sum
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.registry import FlipOptions
from lumiscope.attribution.saturation import score_warnings
from lumiscope.attribution.targets import target_scores
from lumiscope.models import Cut, in_float64
from lumiscope.types import Target

HEADS_AT_ONCE = 16
NO_SCORE = 1e-30  # float32 could not hold a drop divided by less


@dataclass(frozen=True)
class AblationOptions(FlipOptions):
    """`denominator`: of the drops; "magnitude", |S|, or "score", S itself: equation 5 and grad-cam.

    With the latter the map of a class whose raw logit is negative shows what speaks against it.
    """

    denominator: Literal["magnitude", "score"] = "magnitude"


@cam_method(
    "ablationcam",
    title="Ablation-CAM",
    citation="Desai and Ramaswamy 2020, Ablation-CAM, WACV",
    passes="1 forward, 1 head per channel that is not all zero (none where the head is pooling and a linear layer)",
    options=AblationOptions,
)
def ablationcam(layer: PreparedLayer, targets: Sequence[Target], options: AblationOptions) -> LayerMaps:
    """relu(sum_k w_k A_k) with w_k = (S - S_k) / |S|, S_k the target's raw logit with channel k set to 0.

    In a network of tokens a channel is 0 in all of them, class and register tokens, too. Where S is 0 the weights are
    the drops S - S_k themselves; with the denominator "score" they are undefined there: the map is NaN and its details
    say so.
    """
    maps = layer.maps
    scores = target_scores(in_float64(layer.logits), targets)
    if layer.linear_head is None:
        drops = torch.stack([_drops(layer, layer.cut.row(row), target) for row, target in enumerate(targets)])
    else:
        weights_of_classes = in_float64(layer.linear_head[[target.index for target in targets]])
        drops = weights_of_classes * in_float64(maps).mean((2, 3))
    if options.denominator == "score":
        weights = torch.where(scores[:, None] == 0, torch.nan, drops / scores[:, None])
        undefined = [{"undefined": "the target's score is 0"} if score == 0 else {} for score in scores.tolist()]
        return LayerMaps(weighted_sum(maps, weights), undefined)
    magnitudes = torch.where(scores.abs() < NO_SCORE, 1, scores.abs())
    ablated = torch.cat([scores[:, None], scores[:, None] - drops], 1).cpu().numpy()
    warnings = (score_warnings(row, layer.model.activation) for row in ablated)
    details = [{"warnings": said} if said else {} for said in warnings]
    return LayerMaps(weighted_sum(maps, drops / magnitudes[:, None]), details)


def _drops(layer: PreparedLayer, cut: Cut, target: Target) -> torch.Tensor:
    """(C,) float64: S - S_k of one image. A channel that is 0 everywhere changes nothing: no run is needed."""
    axis = layer.layout.channel_axis
    by_channel = cut.activations[0].movedim(axis - 1 if axis > 0 else axis, 0)
    live = by_channel.flatten(1).any(dim=1).nonzero()[:, 0]
    drops = in_float64(torch.zeros(len(by_channel), device=live.device))
    if not len(live):
        return drops

    def ablated(start: int, stop: int) -> Cut:
        channels = live[start:stop]
        copies = cut.activations.repeat(len(channels), *[1] * (cut.activations.ndim - 1))
        copies.movedim(axis, 1)[torch.arange(len(channels)), channels] = 0
        return cut.with_activations(copies)

    score = in_float64(layer.head(cut)[0, target.index])
    drops[live.to(drops.device)] = score - in_float64(layer.score_of(ablated, len(live), HEADS_AT_ONCE, target))
    return drops
