"""What the CAM family shares: from a map at the layer's resolution to a saliency map on the view."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn.functional import interpolate

from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.types import SaliencyMap, Target

EPSILON = 1e-7


def weighted_sum(activations: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """(B, h, w): the sum over k of w_k A_k. `activations`: (B, C, h, w); `weights`: (B, C)."""
    return torch.einsum("bchw,bc->bhw", activations.float(), weights.float())


def min_max(maps: torch.Tensor) -> torch.Tensor:
    """(B, h, w): each map minus its minimum, then divided by 1e-7 plus its maximum."""
    maps = maps - maps.amin((1, 2), keepdim=True)
    return maps / (EPSILON + maps.amax((1, 2), keepdim=True))


def resize(maps: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """(B, H, W): bilinear with half-pixel centres (`align_corners=False`)."""
    return interpolate(maps[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]


def cam_maps(
    prepared: PreparedBatch,
    targets: Sequence[Target],
    layer_maps: torch.Tensor,
    method: str,
    options: object,
    details: Sequence[Mapping[str, Any]] | None = None,
) -> list[SaliencyMap]:
    """Finish (B, h, w) signed layer maps as the CAM family does.

    `.values`: the positive part, resized to the view. `.display()`: positive part, min-max at the layer's resolution,
    resize, min-max (the chain of grad-cam 1.5.7; the 1e-7 counts for tiny maps, so it starts at the layer).
    """
    positive = layer_maps.clamp(min=0)
    size = (prepared.views[0].pixels.shape[0], prepared.views[0].pixels.shape[1])
    values = resize(positive, size).numpy()
    shown = min_max(resize(min_max(positive), size)).numpy()
    said = dataclasses.asdict(options)  # type: ignore[call-overload]
    return [
        SaliencyMap(
            item_id=view.item_id,
            method=method,
            target=targets[row],
            values=values[row],
            options=said,
            layer=prepared.layer,
            shown=shown[row],
            details=details[row] if details else {},
        )
        for row, view in enumerate(prepared.views)
    ]
