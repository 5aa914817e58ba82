"""From a layer's output to maps: (B, C, h, w), whatever order of axes a network keeps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

MAX_PREFIX = 8  # class, distillation and register tokens of a network that does not say how many it has

Grid = tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """Where the maps are in a layer's output.

    `kind`: "maps" (B, C, h, w), "channels_last" (B, h, w, C) or "tokens" (B, prefix + h * w, C).
    `grid`: (h, w). `prefix`: class, distillation and register tokens, which stand before the patches.
    """

    kind: Literal["maps", "channels_last", "tokens"]
    grid: Grid
    prefix: int = 0

    @property
    def channel_axis(self) -> int:
        """The axis of the channels in the layer's output."""
        return 1 if self.kind == "maps" else -1

    @property
    def positions(self) -> int:
        """How many positions a map has."""
        return math.prod(self.grid)

    def maps(self, output: torch.Tensor) -> torch.Tensor:
        """(B, C, h, w): the maps in a layer's output, a view of it."""
        if self.kind == "maps":
            return output
        if self.kind == "channels_last":
            return output.permute(0, 3, 1, 2)
        patches = output[:, self.prefix :].transpose(1, 2)
        return patches.reshape(*patches.shape[:2], *self.grid)


def token_layout(count: int, grids: Sequence[Grid], prefixes: Sequence[int], size: Grid) -> Layout | None:
    """Find the patches among `count` tokens; None where no grid fits.

    `grids`: of the maps that came before, in order: tokens are the positions of one of them, the latest that fits, or
    of the latest halved once or more. `prefixes`: how many tokens the network says stand in front. `size`: (H, W) of
    the input; a network without maps is taken to cut it into square patches.
    """
    latest = list(dict.fromkeys(reversed(grids)))
    for prefix in dict.fromkeys((*prefixes, 0)):
        for grid in latest:
            if count - math.prod(grid) == prefix:
                return Layout("tokens", grid, prefix)
    if latest:
        for grid in _halved(latest[0]):
            if count == math.prod(grid):
                return Layout("tokens", grid)
    for prefix in range(1, MAX_PREFIX + 1):
        for grid in latest:
            if count - math.prod(grid) == prefix:
                return Layout("tokens", grid, prefix)
    return None if latest else _square_patches(count, prefixes, size)


def _halved(grid: Grid) -> Iterator[Grid]:
    """The grid in strides of two, rounded up, as long as there are several positions."""
    while True:
        grid = ((grid[0] + 1) // 2, (grid[1] + 1) // 2)
        if math.prod(grid) < 2:
            return
        yield grid


def _square_patches(count: int, prefixes: Sequence[int], size: Grid) -> Layout | None:
    for prefix in dict.fromkeys((*prefixes, *range(MAX_PREFIX + 1))):
        for patch in range(2, min(size) + 1):
            grid = (size[0] // patch, size[1] // patch)
            if math.prod(grid) > 1 and count - math.prod(grid) == prefix:
                return Layout("tokens", grid, prefix)
    return None
