"""From a layer's output to maps: (B, C, h, w), whatever order of axes a network keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from lumiscope.errors import LayerError
from lumiscope.models.layers import Layer


@dataclass(frozen=True)
class Layout:
    """Where the maps are in a layer's output.

    `kind`: "maps" (B, C, h, w), "channels_last" (B, h, w, C) or "tokens" (B, prefix + h * w, C).
    `grid`: (h, w). `prefix`: class, distillation and register tokens, which stand before the patches.
    """

    kind: Literal["maps", "channels_last", "tokens"]
    grid: tuple[int, int]
    prefix: int = 0

    @property
    def channel_axis(self) -> int:
        """The axis of the channels in the layer's output."""
        return 1 if self.kind == "maps" else -1

    def maps(self, output: torch.Tensor) -> torch.Tensor:
        """(B, C, h, w): the maps in a layer's output; a view of it where that can be."""
        if self.kind == "maps":
            return output
        if self.kind == "channels_last":
            return output.permute(0, 3, 1, 2)
        patches = output[:, self.prefix :]
        return patches.transpose(1, 2).reshape(len(output), output.shape[-1], *self.grid)


def layout_of(name: str, layers: Sequence[Layer], network: torch.nn.Module) -> Layout:
    """Find the layout of the layer `name`. Errors: `LayerError` where its output is no map."""
    layer = next((layer for layer in layers if layer.name == name), None)
    if layer is not None and layer.spatial:
        return Layout("maps", (layer.shape[1], layer.shape[2]))
    if layer is not None and layer.channels_last:
        return Layout("channels_last", (layer.shape[0], layer.shape[1]))
    shape = "no tensor" if layer is None else f"shape {layer.shape}"
    raise LayerError(f"expected a layer whose output is a (channels, height, width) map; {name} gives {shape}")
