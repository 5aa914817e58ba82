"""Ablation-CAM: channels weighted by how far the score falls without them.

Source: Desai and Ramaswamy 2020, "Ablation-CAM: Visual Explanations for Deep Convolutional Network via Gradient-free
Localization", equation 5. An ablated channel is 0, as in the paper; grad-cam 1.5.7 does so only after a ReLU layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lumiscope.attribution.cam import cam_maps, weighted_sum
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.registry import NoOptions, attribution_method
from lumiscope.models import Cut
from lumiscope.types import SaliencyMap, Target

HEADS_AT_ONCE = 32


@attribution_method(
    "ablationcam",
    title="Ablation-CAM",
    citation="Desai and Ramaswamy 2020, Ablation-CAM, WACV",
    passes="1 forward, 1 head per channel that is not all zero",
    options=NoOptions,
    needs_layer=True,
)
def ablationcam(prepared: PreparedBatch, targets: Sequence[Target], options: NoOptions) -> list[SaliencyMap]:
    """relu(sum_k w_k A_k) with w_k = (S - S_k) / S, S_k the target's raw logit with channel k set to 0.

    Where S is exactly 0 the weights are undefined: the map is NaN and its details say so.
    """
    maps = prepared.maps
    rows = [_ablation_weights(prepared, prepared.cut.row(row), target.index) for row, target in enumerate(targets)]
    details = [{} if row.isfinite().all() else {"undefined": "the target's score is 0"} for row in rows]
    layer_maps = weighted_sum(maps, torch.stack(rows))
    return cam_maps(prepared, targets, layer_maps, "ablationcam", options, details)


def _ablation_weights(prepared: PreparedBatch, cut: Cut, target: int) -> torch.Tensor:
    """(C,) weights of one image. A channel that is 0 everywhere changes nothing: its weight is 0 without a run."""
    score = prepared.head(cut)[0, target].double()
    activations = cut.activations
    scores = score.repeat(activations.shape[1])
    live = activations[0].flatten(1).any(dim=1).nonzero()[:, 0]
    for channels in torch.split(live, HEADS_AT_ONCE) if len(live) else ():
        ablated = activations.repeat(len(channels), 1, 1, 1)
        ablated[torch.arange(len(channels)), channels] = 0
        scores[channels] = prepared.head(cut.with_activations(ablated))[:, target].double()
    if score == 0:
        return torch.full_like(scores, torch.nan)
    return (score - scores) / score
