"""Lines drawn on a view: the rim of a mask, the borders between segments."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lumiscope.types import BoolArray, ByteArray, FloatArray, IntArray

Label = TypeVar("Label", bound=np.generic)
YELLOW = (255, 221, 51)
CYAN = (64, 224, 255)
DARK = (10, 12, 16)
LEAST_SIDE = 224  # pixels; on a smaller view a line would be too coarse
OUTSIDE = 0.45  # brightness of what a mask leaves out


def outlined(view: ByteArray, mask: BoolArray, colour: tuple[int, int, int] = YELLOW) -> ByteArray:
    """Draw the rim of `mask`, (H, W), on the view, and darken what lies outside. Small views are enlarged."""
    factor = enlargement(view)
    picture = enlarge(view, factor).astype(np.float64)
    mask = enlarge_labels(mask, factor)
    picture[~mask] *= OUTSIDE
    # Border pixels of the view count as rim, so that a mask that leaves the picture is still closed.
    picture[mask & ~ndimage.binary_erosion(mask, iterations=2)] = colour
    picture[~mask & ndimage.binary_dilation(mask)] = DARK
    return picture.round().astype(np.uint8)


def bordered(picture: ByteArray, segments: IntArray) -> ByteArray:
    """Draw the borders between `segments`, (H, W), as thin dark lines."""
    edge = np.zeros(segments.shape, bool)
    edge[:, 1:] |= segments[:, 1:] != segments[:, :-1]
    edge[1:] |= segments[1:] != segments[:-1]
    drawn = picture.astype(np.float64)
    drawn[edge] = 0.35 * drawn[edge] + 0.65 * np.array(DARK)
    return drawn.round().astype(np.uint8)


def enlargement(view: ByteArray) -> int:
    """The whole factor by which a view is enlarged so that fine lines fit on it."""
    return math.ceil(LEAST_SIDE / float(min(view.shape[:2])))


def enlarge(view: ByteArray, factor: int) -> ByteArray:
    """The view, (H, W, 3), `factor` times as large."""
    if factor == 1:
        return view
    size = (view.shape[1] * factor, view.shape[0] * factor)
    return np.asarray(Image.fromarray(np.ascontiguousarray(view)).resize(size, Image.Resampling.BICUBIC))


def enlarge_map(values: FloatArray, factor: int) -> FloatArray:
    """A map, (H, W), `factor` times as large; no value leaves the range of the map."""
    if factor == 1:
        return values
    size = (values.shape[1] * factor, values.shape[0] * factor)
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))


def enlarge_labels(labels: NDArray[Label], factor: int) -> NDArray[Label]:
    """A mask or segments, (H, W), `factor` times as large; no new values between labels."""
    return labels.repeat(factor, axis=0).repeat(factor, axis=1)
