"""From a layer's output to one number a unit and image: the mean over the positions, or the class token."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from lumiscope.errors import LayerError
from lumiscope.models.layers import Layer
from lumiscope.models.torch_model import TorchModel
from lumiscope.unit_address import CLASS_TOKEN


@dataclass(frozen=True)
class UnitPooling:
    """Which part of a layer's output is its units': the tokens from `start` to `stop`, the positions along `axes`.

    `single`: the layer has one unit z, whose score is two columns, -z and z, as of a network that says yes or no.
    """

    axes: tuple[int, ...] = ()
    start: int = 0
    stop: int | None = None
    single: bool = False

    @classmethod
    def of(cls, layer: Layer, *, class_token: bool = False) -> UnitPooling:
        """The positions of `layer`'s maps, without prefix tokens; or its class token. Errors: `LayerError`."""
        layout, single = layer.layout, layer.units == 1
        if not layer.per_image:
            raise LayerError(
                f"{layer.name} gives several rows an image, as windows do, so its units have no activation for an "
                "image. Choose the block around it."
            )
        if class_token:
            if not layer.class_token:
                raise LayerError(f"{layer.name} has no class token: it gives shape {layer.shape}")
            return cls((1,), 0, 1, single)
        if len(layer.shape) == 1:
            return cls((), single=single)
        if layout is not None and layout.kind == "tokens":
            return cls((1,), layout.prefix, None, single)
        if layout is not None:
            return cls((2, 3) if layout.kind == "maps" else (1, 2), single=single)
        if len(layer.shape) == 2:
            return cls((1,), single=single)
        raise LayerError(
            "units need an output of (units, height, width), (height, width, units), (tokens, units) or (units); "
            f"{layer.name} gives shape {layer.shape}"
        )

    def __call__(self, output: torch.Tensor) -> torch.Tensor:
        """(B, U) float32: the mean over the positions of a layer's output."""
        return pooled(output, self.axes, self.start, self.stop, self.single)

    def part(self, output: torch.Tensor) -> torch.Tensor:
        """(B, ...): what of a layer's output is the units': of tokens some, of all else everything."""
        return output[:, self.start : self.stop] if self._some else output

    def total(self, output: torch.Tensor) -> torch.Tensor:
        """(B, U): the sum over the positions of a layer's output."""
        part = self.part(output)
        return part.sum(self.axes) if self.axes else part

    def scaled(self, output: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
        """(N, ...): one image's output, (1, ...), once for each of N factors; what is not the units' stays."""
        weights = factors.view(-1, *[1] * (output.ndim - 1))
        if not self._some:
            return weights * output
        scaled = output.repeat(len(factors), *[1] * (output.ndim - 1))
        scaled[:, self.start : self.stop] *= weights
        return scaled

    def without(self, output: torch.Tensor, units: torch.Tensor) -> torch.Tensor:
        """(N, ...): one image's output, (1, ...), once for each of N units, (N,), with that unit's activations 0."""
        silenced = output.repeat(len(units), *[1] * (output.ndim - 1))
        part = self.part(silenced)
        by_unit = part if self.axes == (2, 3) else part.movedim(-1, 1)
        by_unit[torch.arange(len(units)), units] = 0
        return silenced

    @property
    def _some(self) -> bool:
        return bool(self.start) or self.stop is not None


def pooled(output: torch.Tensor, axes: tuple[int, ...], start: int, stop: int | None, single: bool) -> torch.Tensor:
    """(B, U) float32 means; see `UnitPooling`. A plain function, so that graphs can hold it and see inside."""
    if start or stop is not None:
        output = output[:, start:stop]
    output = output.float()
    if axes:
        output = output.mean(axes)
    return torch.cat([-output, output], 1) if single else output


def locate_units(model: TorchModel, address: str) -> tuple[Layer, UnitPooling]:
    """The layer that an address means, and how its output becomes its units'. Errors: those of both."""
    layer = find_layer(model, address)
    return layer, UnitPooling.of(layer, class_token=address.endswith(CLASS_TOKEN))


def find_layer(model: TorchModel, address: str) -> Layer:
    """The layer that an address, "layer4" or "blocks.11@class", means.

    Errors: `UnknownNameError` with the nearest names; `LayerError` for a part that gives no tensor.
    """
    name = address.removesuffix(CLASS_TOKEN)
    model.layer(name)
    for layer in model.layers:
        if layer.name == name:
            return layer
    raise LayerError(f"layer {name} gives no tensor in a forward pass")
