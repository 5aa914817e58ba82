"""Views that hardly differ from one: what a stable explanation should not notice."""

from __future__ import annotations

import numpy as np

from lumiscope.trust.judged_view import JudgedView
from lumiscope.types import FedArray

RADIUS = 0.02  # of the range of pixels, or of a band's numbers in the view
DRAWS = 10


def nearby_views(view: JudgedView) -> FedArray:
    """(10, H, W, C) the view and noise, uniform in the cube of radius 0.02 of the range; the same for all methods.

    The range of pixels is 0 to 255, and sums are rounded and cut to it, so that they are pictures that a model may be
    given (a black box takes no others): a pixel moves by at most 5. That of a band is its numbers in this view.
    """
    return view.shared("views nearby", lambda: _draw(view.view.fed, view.view.seed("views nearby")))


def _draw(fed: FedArray, seed: int) -> FedArray:
    noise = np.random.default_rng(seed).uniform(-RADIUS, RADIUS, (DRAWS, *fed.shape))
    if fed.dtype == np.uint8:
        return np.asarray(np.rint(fed + 255 * noise).clip(0, 255), np.uint8)
    return np.asarray(fed + np.ptp(fed, axis=(0, 1)) * noise, fed.dtype)
