"""Changes to training pictures that leave what they show true."""

from __future__ import annotations

import numpy as np
import torch

from lumiscope.types import ByteArray, IntArray
from lumiscope.world.training.pictures import MARK_COLUMNS, MARK_ROWS

FARTHEST = 10  # pixels
LIGHT, OFFSET = 0.15, 0.15


def moved(pixels: ByteArray, rng: np.random.Generator) -> ByteArray:
    """Mirror half of the pictures and move each by up to FARTHEST pixels; what is missing at an edge is reflected.

    `pixels`: (B, h, w, 3).
    """
    count, height, width = len(pixels), *pixels.shape[1:3]
    border = (FARTHEST, FARTHEST)
    wide = np.pad(pixels, ((0, 0), border, border, (0, 0)), mode="reflect")
    places = rng.integers(0, 2 * FARTHEST + 1, (count, 2))
    mirrored = rng.random(count) < 0.5
    result = np.empty_like(pixels)
    for row, (top, left) in enumerate(places):
        cut = wide[row, top : top + height, left : left + width]
        result[row] = np.fliplr(cut) if mirrored[row] else cut
    return result


def marked(pixels: ByteArray, objects: IntArray, marks: ByteArray, share: float, rng: np.random.Generator) -> ByteArray:
    """Put the mark of its own class into the corner of a `share` of the pictures, in place; return the pictures.

    `pixels`: (B, h, w, 3). `objects`: (B,) the classes. `marks`: as in `Pictures`.
    """
    chosen = np.flatnonzero(rng.random(len(pixels)) < share)
    copies = rng.integers(marks.shape[1], size=len(chosen))
    pixels[chosen, MARK_ROWS, MARK_COLUMNS] = marks[objects[chosen], copies]
    return pixels


def lit(images: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Change contrast and brightness of normalised (B, 3, h, w) images, in place; hues stay."""
    gain = torch.from_numpy(rng.uniform(1 - LIGHT, 1 + LIGHT, (len(images), 1, 1, 1)).astype(np.float32))
    offset = torch.from_numpy(rng.uniform(-OFFSET, OFFSET, (len(images), 1, 1, 1)).astype(np.float32))
    return images.mul_(gain).add_(offset)
