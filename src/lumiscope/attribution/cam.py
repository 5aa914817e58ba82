"""What the CAM family shares: from maps at a layer's resolution to a saliency map on the view.

A method of the family is a function under `@cam_method` that gives signed (B, h, w) maps of one layer.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch.nn.functional import interpolate

from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.registry import FlipOptions, Function, attribution_method
from lumiscope.types import SaliencyMap, Target

EPSILON = 1e-7
Options = TypeVar("Options", bound=FlipOptions)


@dataclass(frozen=True)
class LayerMaps:
    """What a method of the CAM family makes at one layer.

    `maps`: (B, h, w) float32, signed; only the positive part is shown. `details`: numbers of each image's map.
    """

    maps: torch.Tensor
    details: Sequence[Mapping[str, Any]] | None = None


CamFunction = Callable[[PreparedBatch, Sequence[Target], Options], torch.Tensor | LayerMaps]


def cam_method(
    name: str,
    *,
    title: str,
    citation: str,
    passes: str,
    options: type[Options] = FlipOptions,  # type: ignore[assignment]
    needs_gradients: bool = False,
    perturbs: bool = False,
    version: int = 1,
) -> Callable[[CamFunction[Options]], Function[Options]]:
    """Register a method of the CAM family: a function from a batch prepared at one layer to signed (B, h, w) maps.

    With several layers the map is the mean over the layers; the function is called for each.
    """

    def register(function: CamFunction[Options]) -> Function[Options]:
        @functools.wraps(function)
        def explain(prepared: PreparedBatch, targets: Sequence[Target], options: Options) -> list[SaliencyMap]:
            made = [function(prepared.at(layer), targets, options) for layer in prepared.layers]
            layers = [one if isinstance(one, LayerMaps) else LayerMaps(one) for one in made]
            return cam_maps(prepared, targets, layers, name, options)

        register_method = attribution_method(
            name,
            title=title,
            citation=citation,
            passes=passes,
            options=options,
            needs_gradients=needs_gradients,
            needs_layer=True,
            perturbs=perturbs,
            version=version,
        )
        return register_method(explain)

    return register


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
    prepared: PreparedBatch, targets: Sequence[Target], layers: Sequence[LayerMaps], method: str, options: object
) -> list[SaliencyMap]:
    """Finish signed layer maps as the CAM family does.

    `.values`: the positive part, resized to the view, and the mean over the layers. `.display()`: positive part,
    min-max at the layer's resolution, resize, mean over the layers, min-max (the chain of grad-cam 1.5.7; the 1e-7
    counts for tiny maps, so it starts at the layer).
    """
    positive = [layer.maps.float().clamp(min=0) for layer in layers]
    values = torch.stack([resize(maps, prepared.size) for maps in positive]).mean(0)
    shown = min_max(torch.stack([resize(min_max(maps), prepared.size) for maps in positive]).mean(0))
    said = dataclasses.asdict(options)  # type: ignore[call-overload]
    details: list[dict[str, Any]] = [{} for _ in targets]
    for layer in layers:
        for row, more in enumerate(layer.details or ()):
            details[row].update(more)
    return [
        SaliencyMap(
            item_id=view.item_id,
            method=method,
            target=targets[row],
            values=values[row].cpu().numpy(),
            options=said,
            layer=prepared.layer,
            shown=shown[row].cpu().numpy(),
            details=details[row],
        )
        for row, view in enumerate(prepared.views)
    ]
