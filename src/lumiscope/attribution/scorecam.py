"""Score-CAM: channels weighted by the score of the picture seen through them.

Source: Wang et al. 2020, "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks",
algorithm 1, as grad-cam 1.5.7 computes it: raw scores without a baseline, softmax over channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import interpolate

from lumiscope.attribution.cam import cam_maps, weighted_sum
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.registry import NoOptions, attribution_method
from lumiscope.types import SaliencyMap, Target

FORWARDS_AT_ONCE = 16


@attribution_method(
    "scorecam",
    title="Score-CAM",
    citation="Wang et al. 2020, Score-CAM, arXiv:1910.01279",
    passes="1 forward per channel that varies over the image, 1 for all others together",
    options=NoOptions,
    needs_layer=True,
)
def scorecam(prepared: PreparedBatch, targets: Sequence[Target], options: NoOptions) -> list[SaliencyMap]:
    """relu(sum_k w_k A_k), w = softmax_k of the target's raw logit on the input multiplied by channel k in [0, 1].

    Channels that are constant over the image mask everything: all of them share the score of the zero input. (In
    grad-cam, rounding noise in the upsampling can turn a constant channel other than 0 into an arbitrary mask.)
    """
    activations = prepared.maps
    scores = [
        _masked_scores(prepared, prepared.inputs[row], activations[row].float(), target.index)
        for row, target in enumerate(targets)
    ]
    weights = torch.stack(scores).double().softmax(dim=1)
    return cam_maps(prepared, targets, weighted_sum(activations, weights), "scorecam", options)


def _masked_scores(
    prepared: PreparedBatch, image: torch.Tensor, activations: torch.Tensor, target: int
) -> torch.Tensor:
    """(C,) raw target scores. `image`: (3, H, W); `activations`: (C, h, w)."""
    logits = prepared.torch_model.logits
    flat = activations.flatten(1)
    varies = flat.amax(1) > flat.amin(1)
    varying = varies.nonzero()[:, 0]
    scores = torch.empty(len(activations))
    if not varies.all():
        scores[~varies] = logits(torch.zeros_like(image)[None])[0, target]
    for channels in torch.split(varying, FORWARDS_AT_ONCE) if len(varying) else ():
        masks = _channel_masks(activations[channels], (image.shape[1], image.shape[2]))
        scores[channels] = logits(image * masks[:, None])[:, target]
    return scores


def _channel_masks(activations: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """(n, H, W) in [0, 1]: channels resized (`align_corners=True`), then min-max with 1e-8."""
    masks = interpolate(activations[None], size=size, mode="bilinear", align_corners=True)[0]
    low, high = masks.amin((1, 2), keepdim=True), masks.amax((1, 2), keepdim=True)
    return (masks - low) / (high - low + 1e-8)
