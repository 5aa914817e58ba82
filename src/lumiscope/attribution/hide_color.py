"""The colour of what is hidden: one for the whole view."""

from __future__ import annotations

import numpy as np

from lumiscope.types import ByteArray, IntArray

HideColor = int | tuple[int, int, int] | None


def flat_picture(pixels: ByteArray, color: HideColor) -> ByteArray:
    """(H, W, 3) uint8 of one colour: a grey value, (r, g, b), or None for the mean colour of `pixels`, rounded."""
    picture = np.empty_like(pixels)
    picture[:] = np.rint(pixels.mean((0, 1))) if color is None else color
    return picture


def hiding_warnings(pixels: ByteArray, hidden: ByteArray, segments: IntArray | None = None) -> list[str]:
    """What is to be said where the picture that takes the place of hidden parts is the view itself, in half of it.

    `pixels`, `hidden`: (H, W, 3). `segments`: (H, W) ids 0..d-1 where parts are segments; None: the view is one part.
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
