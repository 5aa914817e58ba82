"""What the CAM family shares: from maps at a layer's resolution to a saliency map on the view.

A method of the family is a function under `@cam_method`: from what one layer gives to signed (B, h, w) maps.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch.nn.functional import interpolate

from lumiscope.attribution._details import joined_details
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.prepared_view import PreparedView
from lumiscope.attribution.registry import FlipOptions, attribution_method
from lumiscope.attribution.requirements import require_torch_model
from lumiscope.errors import ModelError
from lumiscope.types import SaliencyMap, Target

EPSILON = 1e-7
GRADIENT_PASSES = "1 forward, 1 backward through the head (none where the head is pooling and a linear layer)"
SAME_EVERYWHERE = "every position of the layer counts the same"
NOTHING_POSITIVE = "no position of the layer speaks for the class"
Options = TypeVar("Options", bound=FlipOptions)


@dataclass(frozen=True)
class LayerMaps:
    """What a method of the CAM family makes at one layer.

    `maps`: (B, h, w) float32, signed; only the positive part is shown. `details`: numbers of each image's map.
    """

    maps: torch.Tensor
    details: Sequence[Mapping[str, Any]] | None = None


CamFunction = Callable[[PreparedLayer, Sequence[Target], Options], torch.Tensor | LayerMaps]


def cam_method(
    name: str,
    *,
    title: str,
    citation: str,
    passes: str,
    options: type[Options] = FlipOptions,  # type: ignore[assignment]
    needs_gradients: bool = False,
    perturbs: bool = False,
    class_blind: bool = False,
) -> Callable[[CamFunction[Options]], CamFunction[Options]]:
    """Register a method of the CAM family: a function from what one layer gives for B views to signed (B, h, w) maps.

    With several layers the map is the mean over the layers; the function is called for each. The registered method
    raises `ModelError` for a black box and for a batch without a layer.
    """

    def register(function: CamFunction[Options]) -> CamFunction[Options]:
        @attribution_method(
            name,
            title=title,
            citation=citation,
            passes=passes,
            options=options,
            needs_gradients=needs_gradients,
            needs_layer=True,
            perturbs=perturbs,
            class_blind=class_blind,
        )
        @functools.wraps(function)
        def explain(prepared: PreparedBatch, targets: Sequence[Target], options: Options) -> list[SaliencyMap]:
            _check(prepared, title)
            maps = [function(prepared.at(layer), targets, options) for layer in prepared.layers]
            layers = dict(zip(prepared.layers, map(_with_details, maps), strict=True))
            return cam_maps(prepared.views, targets, layers, name, options)

        return function

    return register


def _with_details(maps: torch.Tensor | LayerMaps) -> LayerMaps:
    return maps if isinstance(maps, LayerMaps) else LayerMaps(maps)


def _check(prepared: PreparedBatch, title: str) -> None:
    """Errors: `ModelError` for a black box, or a batch without a layer."""
    model = require_torch_model(prepared.model)
    if not prepared.layers:
        raise ModelError(
            f"expected a batch prepared at a layer, where {title} looks; this one was prepared without one. "
            f"Give layer=..., such as the automatic choice for {model.name}, model.target_layer."
        )


def weighted_sum(activations: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """(B, h, w): the sum over k of w_k A_k. `activations`: (B, C, h, w); `weights`: (B, C)."""
    return torch.einsum("bchw,bc->bhw", activations.float(), weights.float().to(activations.device))


def min_max(maps: torch.Tensor) -> torch.Tensor:
    """(B, h, w): each map minus its minimum, then divided by 1e-7 plus its maximum."""
    maps = maps - maps.amin((1, 2), keepdim=True)
    return maps / (EPSILON + maps.amax((1, 2), keepdim=True))


def resize(maps: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """(B, H, W): bilinear with half-pixel centres (`align_corners=False`)."""
    return interpolate(maps[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]


def cam_maps(
    views: Sequence[PreparedView],
    targets: Sequence[Target],
    layers: Mapping[str, LayerMaps],
    method: str,
    options: object,
) -> list[SaliencyMap]:
    """Finish signed maps as the CAM family does, B for each of the `layers`.

    `.values`: the positive part, resized to the view, and the mean over the layers. `.display()`: positive part,
    min-max at the layer's resolution, resize, mean over the layers, min-max (the chain of grad-cam 1.5.7; the 1e-7
    counts for tiny maps, so it starts at the layer). A map with a number that is not finite is NaN, and its details
    say why under "undefined"; one that is the same everywhere displays as zeros, and they say why under "blank".
    """
    size = views[0].size
    positive = [_defined(layer.maps.float()).clamp(min=0) for layer in layers.values()]
    values = torch.stack([resize(maps, size) for maps in positive]).mean(0)
    shown = min_max(torch.stack([resize(min_max(maps), size) for maps in positive]).mean(0))
    said = dataclasses.asdict(options)  # type: ignore[call-overload]
    return [
        SaliencyMap(
            item_id=view.item_id,
            method=method,
            target=targets[row],
            values=values[row].cpu().numpy(),
            options=said,
            layer=", ".join(layers),
            shown=shown[row].cpu().numpy(),
            details=_details(list(layers.values()), row, [maps[row] for maps in positive]),
        )
        for row, view in enumerate(views)
    ]


def _defined(maps: torch.Tensor) -> torch.Tensor:
    """The maps, those with a number that is not finite as NaN everywhere."""
    return torch.where(maps.isfinite().all(2).all(1)[:, None, None], maps, torch.nan)


def _details(layers: Sequence[LayerMaps], row: int, positive: Sequence[torch.Tensor]) -> dict[str, Any]:
    """What the layers say of one image's maps, and why a map shows nothing. `positive`: (h, w), one for each layer."""
    details = joined_details(layer.details[row] for layer in layers if layer.details)
    if not all(maps.isfinite().all() for maps in positive):
        details.setdefault("undefined", "the network's numbers at this layer are not finite")
    elif all(maps.amax() == maps.amin() for maps in positive):
        flat = any(maps.any() for maps in positive)
        details.setdefault("blank", SAME_EVERYWHERE if flat else NOTHING_POSITIVE)
    return details
