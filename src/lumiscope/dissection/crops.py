"""Where on a view a unit fires, as a box to crop."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from lumiscope.types import FloatArray

Box = tuple[int, int, int, int]
SHARE = 0.7
MARGIN = 0.1
LEAST = 1 / 3


def crop_box(
    unit_map: FloatArray, size: tuple[int, int], *, share: float = SHARE, margin: float = MARGIN, least: float = LEAST
) -> Box:
    """(left, top, right, bottom), in pixels of a view of `size` (H, W), of the part on which a unit fires.

    `unit_map`: (h, w), its activations on the view; each is taken to stand for its share of the pixels.
    The box holds the positions around the highest activation that hang together with it, at corners too, and have at
    least `share` of it; where no activation is positive, of its distance from the lowest. It is as wide as it is high,
    has a margin of `margin` of its side all around and a side of at least `least` of the view's shorter side, and is
    moved inside the view, or cut where the view is shorter than it. The whole view where the map is constant, empty or
    not finite.
    """
    height, width = size
    if unit_map.size == 0 or not np.isfinite(unit_map).all() or unit_map.min() == unit_map.max():
        return 0, 0, width, height
    values = unit_map.astype(np.float64)
    silence = max(values.min(), 0) if values.max() > 0 else values.min()
    regions, _ = ndimage.label(values >= silence + share * (values.max() - silence), np.ones((3, 3)))
    fires = regions == regions.flat[values.argmax()]
    rows, columns = np.flatnonzero(fires.any(1)), np.flatnonzero(fires.any(0))
    top, bottom = rows[0] * height / len(values), (rows[-1] + 1) * height / len(values)
    left, right = columns[0] * width / values.shape[1], (columns[-1] + 1) * width / values.shape[1]
    side = max((1 + 2 * margin) * max(bottom - top, right - left), least * min(size))
    (left_edge, right_edge), (top_edge, bottom_edge) = (
        _inside(left, right, side, width),
        _inside(top, bottom, side, height),
    )
    return left_edge, top_edge, right_edge, bottom_edge


def _inside(start: float, end: float, side: float, length: int) -> tuple[int, int]:
    """The ends of `side` pixels around the middle of `start` and `end`, inside 0..`length`."""
    whole = min(math.ceil(side), length)
    first = round((start + end - whole) / 2)
    first = min(max(first, 0), length - whole)
    return first, first + whole
