"""The colour of what is hidden: one for the whole view."""

from __future__ import annotations

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.types import ByteArray

HideColor = int | tuple[int, int, int] | None


def check_color(method: str, color: HideColor) -> None:
    """Errors: `UsageError` for a channel that is not from 0 to 255."""
    if not all(0 <= channel <= 255 for channel in (color if isinstance(color, tuple) else (color or 0,))):
        raise UsageError(f"{method}: expected hide_color from 0 to 255; got {color}")


def flat_picture(pixels: ByteArray, color: HideColor) -> ByteArray:
    """(H, W, 3) uint8 of one colour: a grey value, (r, g, b), or None for the mean colour of `pixels`, rounded."""
    picture = np.empty_like(pixels)
    picture[:] = np.rint(pixels.mean((0, 1))) if color is None else color
    return picture
