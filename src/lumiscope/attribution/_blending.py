"""Pictures seen through masks, as whole numbers: what a model that only predicts is shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lumiscope.types import ByteArray, FloatArray

Masks = NDArray[np.bool_] | FloatArray


def blended_pixels(pixels: ByteArray, hidden: ByteArray, masks: Masks) -> ByteArray:
    """(n, H, W, 3) uint8: where a mask is 1 the picture, where it is 0 what hides it, rounded between.

    `pixels`, `hidden`: (H, W, 3). `masks`: (n, H, W), bool or float in [0, 1].
    """
    shown = masks[..., None]
    if masks.dtype == np.bool_:
        return np.asarray(np.where(shown, pixels, hidden))
    return np.asarray(np.rint(shown * pixels.astype(np.float32) + (1 - shown) * hidden), np.uint8)
