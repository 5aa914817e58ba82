"""Masks on views, sampled on a coarse grid and packed, for many images at once."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection._packed_masks import WORD, PackedMasks, packed
from lumiscope.types import BoolArray, IntArray

GRIDS = (32, 16, 8)  # each has whole words, so that every image begins with one
MOST_GRID_IMAGES = 2000
MOST_BYTES = 2**24


def choose_grid(num_rows: int, num_images: int, size: tuple[int, int]) -> int:
    """The side of the finest grid (32, 16 or 8) on which `num_rows` masks of the images take no more than 16 MiB.

    It has no more rows and columns than the views, `size` (H, W), where that can be.
    """
    fitting = (g for g in GRIDS if g <= min(size) and num_rows * num_images * g * g // 8 <= MOST_BYTES)
    return next(fitting, GRIDS[-1])


class GridMasks:
    """R masks a view over `num_images` views, each sampled at the nearest pixels of a `side` x `side` grid."""

    def __init__(self, num_rows: int, num_images: int, side: int) -> None:
        self._side = side
        self._words = np.zeros((num_rows, num_images, side * side // WORD), np.uint64)

    def add(self, image: int, rows: IntArray, masks: BoolArray) -> None:
        """Take the masks, (n, H, W) bool, of some rows on the view number `image`."""
        down, across = ((np.arange(self._side) + 0.5) * length / self._side for length in masks.shape[1:])
        chosen = masks[:, down.astype(np.int64)[:, None], across.astype(np.int64)]
        self._words[rows, image] = packed(chosen.reshape(len(rows), self._side**2))

    def parts(self) -> tuple[PackedMasks, PackedMasks, PackedMasks]:
        """The masks on every second view, and on every other one of the rest, so that a sorted list is in all parts."""
        return self._part(slice(0, None, 2)), self._part(slice(1, None, 4)), self._part(slice(3, None, 4))

    def _part(self, images: slice) -> PackedMasks:
        part = self._words[:, images]
        return PackedMasks(np.ascontiguousarray(part.reshape(len(part), part.shape[1] * part.shape[2])))
