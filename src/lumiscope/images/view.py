"""The view: the pixels that the model really sees, and where they lie on the original image."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.types import ByteArray


@dataclass(frozen=True, eq=False)
class View:
    """What a model sees of one image.

    `pixels`: (h, w, 3) uint8 RGB. `item_id`: the image that it shows. `box`: (left, top, right, bottom), the region of
    the original image that the view shows, in original pixels, with 0 at the edge of the first pixel.
    `original_size`: (height, width) of the original image.
    """

    pixels: ByteArray
    item_id: str
    box: tuple[float, float, float, float]
    original_size: tuple[int, int]
