"""What is seen where a view is hidden."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

from lumiscope.attribution import flat_picture
from lumiscope.types import FedArray

ROAD = "road"  # filled from what is left, see `Filling`: no picture, since it depends on what is hidden
ZEROS = "zeros"  # 0 as the network is fed it, the mean of the pictures it was trained on: seldom a colour of 0 to 255
BLUR = 1 / 20  # standard deviation, of the side


def _mean(pixels: FedArray) -> FedArray:
    """The view's mean colour."""
    return flat_picture(pixels, None)


def _grey(pixels: FedArray) -> FedArray:
    """Middle grey; of bands the middle of their range."""
    return flat_picture(pixels, 128)


def _blur(pixels: FedArray) -> FedArray:
    """The view, blurred."""
    sigma = BLUR * min(pixels.shape[:2])
    blurred = gaussian_filter(pixels.astype(np.float64), (sigma, sigma, 0), mode="nearest")
    return np.asarray(np.rint(blurred) if pixels.dtype == np.uint8 else blurred, pixels.dtype)


SUBSTRATES: dict[str, Callable[[FedArray], FedArray]] = {"mean": _mean, "grey": _grey, "blur": _blur}
"""Name -> (H, W, C) what is seen of a view in the place of what is hidden."""
