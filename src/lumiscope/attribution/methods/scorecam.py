"""Score-CAM: channels weighted by the score of the picture seen through them.

Source: Wang et al. 2020, "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks",
algorithm 1, as grad-cam 1.5.7 computes it: raw scores without a baseline, softmax over channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lumiscope.attribution.cam import cam_method, weighted_sum
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.registry import FlipOptions
from lumiscope.types import Target


@cam_method(
    "scorecam",
    title="Score-CAM",
    citation="Wang et al. 2020, Score-CAM, arXiv:1910.01279",
    passes="1 forward per channel that varies over the image, 1 for all others together",
    perturbs=True,
    version=2,
)
def scorecam(prepared: PreparedBatch, targets: Sequence[Target], options: FlipOptions) -> torch.Tensor:
    """relu(sum_k w_k A_k), w = softmax_k of the target's raw logit on the input multiplied by channel k in [0, 1].

    Channels that are constant over the image mask everything: all of them share the score of the zero input. (In
    grad-cam, rounding noise in the upsampling can turn a constant channel other than 0 into an arbitrary mask.)
    """
    maps = prepared.maps.float()
    scores = [masked_scores(prepared, row, maps[row], target.index) for row, target in enumerate(targets)]
    weights = torch.stack(scores).double().softmax(dim=1)
    return weighted_sum(maps, weights)


def masked_scores(prepared: PreparedBatch, row: int, maps: torch.Tensor, target: int) -> torch.Tensor:
    """(C,) raw target scores of one image seen through each of its `maps`, (C, h, w)."""
    image = prepared.inputs[row].contiguous()
    flat = maps.flatten(1)
    varies = flat.amax(1) > flat.amin(1)
    varying = maps[varies]
    down, across = (
        _interpolation(long, short).to(maps) for long, short in zip(image.shape[1:], maps.shape[1:], strict=True)
    )
    constant = int(not varies.all())  # one run, of the zero input, serves all constant channels

    def masked(start: int, stop: int) -> torch.Tensor:
        chosen = varying[max(start - constant, 0) : stop - constant]
        masks = _stretched(down @ chosen @ across.T)
        inputs = image * masks[:, None]
        return inputs if start or not constant else torch.cat([torch.zeros_like(image)[None], inputs])

    found = prepared.logits_of(masked, len(varying) + constant)[:, target].to(maps.device)
    scores = torch.empty(len(maps), device=maps.device)
    scores[varies] = found[constant:]
    if constant:
        scores[~varies] = found[0]
    return scores


def _interpolation(long: int, short: int) -> torch.Tensor:
    """(long, short): the matrix of linear interpolation with the ends on the ends (`align_corners=True`)."""
    position = torch.arange(long, dtype=torch.float64) * ((short - 1) / max(long - 1, 1))
    return (1 - (position[:, None] - torch.arange(short)).abs()).clamp(min=0)


def _stretched(masks: torch.Tensor) -> torch.Tensor:
    """(n, H, W) in [0, 1]: min-max with 1e-8."""
    low, high = masks.amin((1, 2), keepdim=True), masks.amax((1, 2), keepdim=True)
    return (masks - low) / (high - low + 1e-8)
