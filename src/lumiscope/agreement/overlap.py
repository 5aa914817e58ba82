"""How far two masks overlap, and what an overlap of that size is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.types import BoolArray


@dataclass(frozen=True)
class Overlap:
    """Two masks compared; fractions in [0, 1], NaN where undefined.

    `iou`: intersection over union. `area_a`, `area_b`: share of the view that each mask covers, p and q.
    `chance`: IoU of two independent masks of these areas, pq / (p + q - pq). Real maps are smooth and like the centre,
    so unrelated ones overlap somewhat more than that. `ceiling`: the highest IoU these areas allow, min / max.
    `adjusted`: (iou - chance) / (ceiling - chance): 1 for the best possible, 0 for chance, below 0 for less than that.
    `reason`: why a field is NaN, "" where none is.
    """

    iou: float
    area_a: float
    area_b: float
    chance: float
    ceiling: float
    adjusted: float
    reason: str = ""


def overlap(a: BoolArray, b: BoolArray) -> Overlap:
    """Compare two masks, both (H, W) bool.

    Two empty masks: everything but the areas is NaN. One empty mask: IoU, chance and ceiling are 0, and `adjusted` is
    NaN; it is NaN too where a mask covers the whole view, as chance is the ceiling then.
    Raises UsageError if they are not bool, not of one shape, or without pixels.
    """
    if a.shape != b.shape or a.size == 0 or a.dtype != np.bool_ or b.dtype != np.bool_:
        raise UsageError(
            "two masks to compare must be bool arrays of one shape (height, width), with pixels; "
            f"got {a.shape} of {a.dtype} and {b.shape} of {b.dtype}"
        )
    # In whole pixels up to the last division: bounds and ties then hold exactly, not up to rounding.
    pixels, size_a, size_b = a.size, int(a.sum()), int(b.sum())
    areas = size_a / pixels, size_b / pixels
    if size_a == size_b == 0:
        return Overlap(math.nan, *areas, math.nan, math.nan, math.nan, "both masks are empty")
    common = int((a & b).sum())
    iou = common / (size_a + size_b - common)
    chance = size_a * size_b / (pixels * (size_a + size_b) - size_a * size_b)
    ceiling = min(size_a, size_b) / max(size_a, size_b)
    reason = _why_not_adjusted(size_a, size_b, pixels)
    adjusted = math.nan if reason else (iou - chance) / (ceiling - chance)
    return Overlap(iou, *areas, chance, ceiling, adjusted, reason)


def overlap_with_truth(mask: BoolArray, truth: BoolArray, void: BoolArray | None = None) -> Overlap:
    """Compare a mask with the true one, all (H, W) bool, where `void` is False: there it is known what a pixel shows.

    Everything but the areas is NaN where nothing of the true mask is on the view: no mask could overlap it, so that an
    IoU of 0 would tell nothing about this one. Raises UsageError as `overlap`.
    """
    if truth.any():
        return overlap(mask, truth) if void is None else overlap(mask[~void], truth[~void])
    area = overlap(mask, truth).area_a
    return Overlap(math.nan, area, 0.0, math.nan, math.nan, math.nan, "nothing of the true mask is on the view")


def _why_not_adjusted(size_a: int, size_b: int, pixels: int) -> str:
    if size_a == 0 or size_b == 0:
        return f"mask {'a' if size_a == 0 else 'b'} is empty"
    if pixels in (size_a, size_b):
        return f"mask {'a' if size_a == pixels else 'b'} covers the whole view, so chance is the ceiling"
    return ""
