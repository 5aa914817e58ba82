"""How complex an image is, measured in ways that need no network."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from lumiscope.types import BoolArray, ByteArray, DoubleArray

SIDE = 256  # pixels of the longer side of what is measured, so that large images are not complex by their size
FELZENSZWALB = {"scale": 100, "sigma": 0.5, "min_size": 50}
SMALLEST_OBJECT = 0.001  # share of the image


@dataclass(frozen=True)
class Complexity:
    """Five measures, each higher for a more complex image.

    `segments`: how many Felzenszwalb and Huttenlocher 2004 find. `edges`: the mean slope of the grey values in [0, 1]
    by Sobel's filter. `compression`: bytes per pixel as a PNG. `entropy`: of the histogram of the grey values, in bits.
    `objects`: connected parts of the true mask; NaN without one.
    """

    segments: float
    edges: float
    compression: float
    entropy: float
    objects: float


def measure_complexity(pixels: ByteArray, mask: BoolArray | None = None) -> Complexity:
    """Measure an image. `pixels`: (H, W, 3) uint8. `mask`: (H, W) bool, what it is about; None where unknown."""
    from skimage.segmentation import felzenszwalb

    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    small, grey = np.asarray(image), np.asarray(image.convert("L"))
    stored = io.BytesIO()
    image.save(stored, "PNG")
    return Complexity(
        segments=float(len(np.unique(felzenszwalb(small, **FELZENSZWALB)))),
        edges=float(edge_strength(small).mean()),
        compression=stored.tell() / grey.size,
        entropy=_entropy(np.bincount(grey.ravel(), minlength=256) / grey.size),
        objects=math.nan if mask is None else _objects(mask),
    )


def edge_strength(pixels: ByteArray) -> DoubleArray:
    """(H, W, 3) uint8 -> (H, W): the slope of the grey values in [0, 1], by Sobel's filter."""
    from skimage.filters import sobel

    grey = np.asarray(Image.fromarray(pixels).convert("L"))
    return np.asarray(sobel(grey / 255), np.float64)  # type: ignore[no-untyped-call]


def _entropy(shares: DoubleArray) -> float:
    positive = shares[shares > 0]
    return max(0.0, float(-(positive * np.log2(positive)).sum()))


def _objects(mask: BoolArray) -> float:
    from scipy.ndimage import label

    parts, _ = label(mask, structure=np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())[1:]
    return float(np.count_nonzero(sizes >= SMALLEST_OBJECT * mask.size))
