"""Score-CAM: channels weighted by the score of the picture seen through them.

Source: Wang et al. 2020, "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks",
algorithm 1, as grad-cam 1.5.7 computes it: raw scores without a baseline, softmax over channels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from lumiscope.attribution.cam import LayerMaps, cam_method, weighted_sum
from lumiscope.attribution.predictor import Predictor
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.registry import FlipOptions
from lumiscope.attribution.saturation import score_warnings
from lumiscope.models import Runner, in_float64
from lumiscope.types import Target

ALLOWED_ERROR = 0.015  # of the map's range, as estimated, so that maps are within 0.02
SIGMAS = 4
REFINED_AT_ONCE = 32


@cam_method(
    "scorecam",
    title="Score-CAM",
    citation="Wang et al. 2020, Score-CAM, arXiv:1910.01279",
    passes="1 forward per channel that varies over the image, 1 for all others together",
    perturbs=True,
)
def scorecam(layer: PreparedLayer, targets: Sequence[Target], options: FlipOptions) -> LayerMaps:
    """relu(sum_k w_k A_k), w = softmax_k of the target's raw logit on the input multiplied by channel k in [0, 1].

    Channels that are constant over the image mask everything: all of them share the score of the zero input. (In
    grad-cam, rounding noise in the upsampling can turn a constant channel other than 0 into an arbitrary mask.)

    With `fast`, where half precision is too rough for this network, all channels are scored roughly and those that
    matter again in float32, until the error left is small; see `refine`.
    """
    maps = layer.maps.float()
    views = zip(layer.inputs.values, maps, targets, strict=True)
    scores = [masked_scores(layer.predictor, image, channels, target.index) for image, channels, target in views]
    weights = in_float64(torch.stack(scores)).softmax(dim=1)
    rows = (in_float64(row).cpu().numpy() for row in scores)
    warnings = (score_warnings(row, layer.model.activation) for row in rows)
    return LayerMaps(weighted_sum(maps, weights), [{"warnings": said} if said else {} for said in warnings])


def masked_scores(predictor: Predictor, image: torch.Tensor, maps: torch.Tensor, target: int) -> torch.Tensor:
    """(C,) raw target scores of one normalised input, (3, H, W), seen through each of its `maps`, (C, h, w)."""
    image = image.contiguous()
    flat = maps.flatten(1)
    varies = flat.amax(1) > flat.amin(1)
    masks = torch.cat([maps, torch.zeros_like(maps[:1])])  # the last one is the mask of all constant channels
    down, across = (
        _interpolation(long, short).to(maps.dtype).to(maps.device)
        for long, short in zip(image.shape[1:], maps.shape[1:], strict=True)
    )

    def scored(channels: torch.Tensor, runner: Runner | None = None) -> torch.Tensor:
        def seen(start: int, stop: int) -> torch.Tensor:
            return image * _stretched(down @ masks[channels[start:stop]] @ across.T)[:, None]

        return predictor.logits_of(seen, len(channels), runner, lambda logits: logits[:, target]).to(maps.device)

    rough = predictor.session.rough
    varying = varies.nonzero()[:, 0]
    scores = maps.new_empty(len(maps))
    if varies.any():
        scores[varying] = scored(varying, rough)
    if not varies.all():
        scores[~varies] = scored(varying.new_tensor([len(maps)]))
    return scores if rough is None else refine(scores, varies, flat, scored)


def refine(
    rough: torch.Tensor, varies: torch.Tensor, maps: torch.Tensor, exact: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """(C,) float64 scores, as exact as the map needs: rough ones, and exact ones for the channels that matter.

    `rough`: (C,) scores. `varies`: (C,) channels that have a score of their own. `maps`: (C, h * w).
    `exact(channels)`: scores of these. A channel's influence on the map M = sum_k w_k A_k is w_k (A_k - M), the
    derivative of M by its score. The most influential are scored again, the others shifted by the mean difference d
    found so far, until `SIGMAS` standard errors of the map, and a whole standard deviation of d in common, are less
    than `ALLOWED_ERROR` of its range.
    """
    maps, rough = in_float64(maps), in_float64(rough)
    scores, known = rough.clone(), ~varies.to(rough.device)
    differences = rough.new_empty(0)
    while not known.all():
        weights = scores.softmax(0)
        mixed = weights @ maps
        reach = mixed.clamp(min=0).amax() - mixed.clamp(min=0).amin()
        influence = weights[:, None] * (maps - mixed) / reach.clamp(min=1e-12)
        influence[known] = 0
        if len(differences):
            error = (SIGMAS * influence.square().sum(0).sqrt() + influence.sum(0).abs()).amax() * differences.std()
            if error <= ALLOWED_ERROR:
                break
        order = influence.abs().amax(1).masked_fill(known, -1).argsort(descending=True, stable=True)
        channels = order[: min(REFINED_AT_ONCE, int((~known).sum()))]
        exact_scores = in_float64(exact(channels))
        differences = torch.cat([differences, exact_scores - rough[channels]])
        known[channels] = True
        scores[channels] = exact_scores
        scores[~known] = rough[~known] + differences.mean()
    return scores


def _interpolation(long: int, short: int) -> torch.Tensor:
    """(long, short): the matrix of linear interpolation with the ends on the ends (`align_corners=True`)."""
    position = torch.arange(long, dtype=torch.float64) * ((short - 1) / max(long - 1, 1))
    return (1 - (position[:, None] - torch.arange(short)).abs()).clamp(min=0)


def _stretched(masks: torch.Tensor) -> torch.Tensor:
    """(n, H, W) in [0, 1]: min-max with 1e-8."""
    low, high = masks.amin((1, 2), keepdim=True), masks.amax((1, 2), keepdim=True)
    return (masks - low) / (high - low + 1e-8)
