"""The colour of what is hidden: one for the whole view."""

from __future__ import annotations

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.types import DoubleArray, FedArray, IntArray

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


def hiding_warnings(pixels: FedArray, hidden: FedArray, segments: IntArray | None = None) -> list[str]:
    """What is to be said where the picture that takes the place of hidden parts is the view itself, in half of it.

    `pixels`, `hidden`: (H, W, n). `segments`: (H, W) ids 0..d-1 where parts are segments; None: the view is one part.
    """
    changes = (pixels != hidden).any(axis=-1)
    parts = np.zeros(changes.shape, np.int64) if segments is None else segments
    changed = np.bincount(parts.ravel(), weights=changes.ravel()) > 0
    unchanged, count = int((~changed).sum()), len(changed)
    if 2 * unchanged < count:
        return []
    where = "" if unchanged == count else f" in {unchanged} of {count} segments"
    return [
        f"hiding changes nothing{where}: what takes the place of a hidden part has its colours already, as the mean "
        "colour of a flat part has; hide by another colour (hide_color)"
    ]


def _between(bands: FedArray, color: int | tuple[int, int, int]) -> DoubleArray:
    if not isinstance(color, int):
        raise UsageError(f"expected a grey value from 0 to 255 to hide bands with, or their means; got {color}")
    low, high = bands.min((0, 1)).astype(np.float64), bands.max((0, 1)).astype(np.float64)
    return np.asarray(low + (high - low) * color / 255)
