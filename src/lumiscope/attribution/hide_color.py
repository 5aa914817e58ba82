"""The colour of what is hidden: one for the whole view."""

from __future__ import annotations

import numpy as np

from lumiscope.types import ByteArray

HideColor = int | tuple[int, int, int] | None


def flat_picture(pixels: ByteArray, color: HideColor) -> ByteArray:
    """(H, W, 3) uint8 of one colour: a grey value, (r, g, b), or None for the mean colour of `pixels`, rounded."""
    picture = np.empty_like(pixels)
    picture[:] = np.rint(pixels.mean((0, 1))) if color is None else color
    return picture
