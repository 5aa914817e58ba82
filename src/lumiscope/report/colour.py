"""Colours of maps: cividis for unsigned values, blue to orange for signed ones; and how they are laid over a view."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lumiscope.report._cividis import COLOURS
from lumiscope.types import ByteArray

MAP_WEIGHT = 0.7
# Dark blue, blue, near white, orange, dark orange at -1, -0.5, 0, 0.5, 1: equally dark at equal distance from 0, and
# told apart by people who cannot tell red from green.
BLUE_ORANGE = np.array([(18, 71, 143), (126, 180, 226), (245, 244, 240), (236, 152, 70), (124, 50, 0)], np.float64)


def cividis(values: NDArray[np.floating]) -> ByteArray:
    """Colours (..., 3) of `values` in [0, 1]; NaN is black."""
    undefined = np.isnan(values)
    places = (np.where(undefined, 0, np.clip(values, 0, 1)) * len(COLOURS)).astype(np.int64)
    colours = COLOURS[np.minimum(places, len(COLOURS) - 1)]
    colours[undefined] = 0
    return colours


def blue_orange(values: NDArray[np.floating]) -> ByteArray:
    """Colours (..., 3) of `values` in [-1, 1]; 0 is nearly white."""
    anchors = np.linspace(-1, 1, len(BLUE_ORANGE))
    channels = [np.interp(np.clip(values, -1, 1), anchors, channel) for channel in BLUE_ORANGE.T]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def overlay(view: ByteArray, display: NDArray[np.floating]) -> ByteArray:
    """Lay a map in [0, 1], (H, W), over the view, (H, W, 3)."""
    return _blend(view, cividis(display))


def signed_overlay(view: ByteArray, values: NDArray[np.floating], scale: float) -> ByteArray:
    """Lay a signed map, (H, W), over the view; ±`scale` gets the darkest blue and orange."""
    return _blend(view, blue_orange(np.asarray(values, np.float64) / scale if scale > 0 else np.zeros(values.shape)))


def gradient(signed: bool) -> str:
    """The colour map as a CSS gradient from its lowest value on the left to its highest on the right."""
    stops = blue_orange(np.linspace(-1, 1, 9)) if signed else cividis(np.linspace(0, 1, 9))
    return f"linear-gradient(to right,{','.join('#' + stop.tobytes().hex() for stop in stops)})"


def _blend(view: ByteArray, colours: ByteArray) -> ByteArray:
    # The view is made grey, so that every hue in the picture comes from the map.
    grey = (view.astype(np.float64) @ (0.299, 0.587, 0.114))[..., None]
    return ((1 - MAP_WEIGHT) * grey + MAP_WEIGHT * colours).round().astype(np.uint8)
