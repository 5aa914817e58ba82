"""What a true mask must be, that an explanation can be compared with it."""

from __future__ import annotations

from lumiscope.images import Geometry
from lumiscope.types import BoolArray


def why_unusable(mask: BoolArray, size: tuple[int, int], geometry: Geometry) -> str:
    """Why nothing can be scored with a mask, (H, W); "" where it can. `size`: of its picture, (height, width)."""
    if mask.shape != size:
        return f"its mask has {mask.shape[0]} x {mask.shape[1]} pixels, the picture {size[0]} x {size[1]}"
    seen = geometry.mask_on_view(mask)
    if not seen.any():
        return "nothing of its mask is on what the model sees"
    return "its mask covers all that the model sees" if seen.all() else ""
