"""The colour of what is hidden: one for the whole view."""

from __future__ import annotations

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.types import DoubleArray, FedArray

HideColor = int | tuple[int, int, int] | None


def flat_picture(pixels: FedArray, color: HideColor) -> FedArray:
    """(H, W, 3) uint8 of one colour: a grey value, (r, g, b), or None for the mean colour of `pixels`, rounded.

    Of (H, W, n) float32 bands: their means; a grey value is a place in each band's range, from its smallest number (0)
    to its largest (255). Errors: `UsageError` for (r, g, b), which bands have not.
    """
    picture = np.empty_like(pixels)
    if pixels.dtype != np.uint8:
        picture[:] = pixels.mean((0, 1), dtype=np.float64) if color is None else _between(pixels, color)
        return picture
    picture[:] = np.rint(pixels.mean((0, 1))) if color is None else color
    return picture


def _between(bands: FedArray, color: int | tuple[int, int, int]) -> DoubleArray:
    if not isinstance(color, int):
        raise UsageError(f"expected a grey value from 0 to 255 to hide bands with, or their means; got {color}")
    low, high = bands.min((0, 1)).astype(np.float64), bands.max((0, 1)).astype(np.float64)
    return np.asarray(low + (high - low) * color / 255)
