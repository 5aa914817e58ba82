"""What can be said of a picture without knowing what it shows: light, contrast, colour, edges, and where they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from lumiscope.images.complexity import edge_strength
from lumiscope.types import ByteArray, DoubleArray

SIDE = 64  # pixels of the longer side of what is measured: what a layer's mean over positions can tell


@dataclass(frozen=True)
class LowLevel:
    """Five kinds of features in nine numbers.

    Brightness and contrast: mean and standard deviation of the luminance in [0, 1]. Colour: the means of red - green
    and of yellow - blue, in [-1, 1]. Edges: the mean slope of the luminance by Sobel's filter. Position: where the
    centre of mass of brightness, and of edges, is, in widths from the left and heights from the top; the middle where
    there is none.
    """

    brightness: float
    contrast: float
    red_green: float
    yellow_blue: float
    edges: float
    brightness_left: float
    brightness_top: float
    edges_left: float
    edges_top: float


def measure_low_level(pixels: ByteArray) -> LowLevel:
    """Measure a picture. `pixels`: (H, W, 3) uint8."""
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    small = np.asarray(image)
    light = np.asarray(image.convert("L"), np.float64) / 255
    red, green, blue = np.moveaxis(small.astype(np.float64) / 255, -1, 0)
    edges = edge_strength(small)
    brightness_left, brightness_top = _centre(light)
    edges_left, edges_top = _centre(edges)
    return LowLevel(
        brightness=float(light.mean()),
        contrast=float(light.std()),
        red_green=float((red - green).mean()),
        yellow_blue=float(((red + green) / 2 - blue).mean()),
        edges=float(edges.mean()),
        brightness_left=brightness_left,
        brightness_top=brightness_top,
        edges_left=edges_left,
        edges_top=edges_top,
    )


def _centre(weights: DoubleArray) -> tuple[float, float]:
    """The centre of mass of (h, w) weights, from the left and from the top, in [0, 1]."""
    total = weights.sum()
    if not total:
        return 0.5, 0.5
    height, width = weights.shape
    left = weights.sum(0) @ (np.arange(width) + 0.5) / width
    top = weights.sum(1) @ (np.arange(height) + 0.5) / height
    return float(left / total), float(top / total)
