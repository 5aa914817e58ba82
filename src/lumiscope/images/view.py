"""The view: the pixels that the model really sees, and where they lie on the original image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from lumiscope.types import ByteArray, FedArray, FloatArray


@dataclass(frozen=True, eq=False)
class View:
    """What a model sees of one image.

    `pixels`: (h, w, 3) uint8 RGB. `item_id`: the image that it shows. `box`: (left, top, right, bottom), the region of
    the original image that the view shows, in original pixels, with 0 at the edge of the first pixel.
    `original_size`: (height, width) of the original image. `bands`: (h, w, n) float32, what a network of bands is
    given, while `pixels` show three of them; None: it is given the pixels.
    """

    pixels: ByteArray
    item_id: str
    box: tuple[float, float, float, float]
    original_size: tuple[int, int]
    bands: FloatArray | None = None

    @property
    def fed(self) -> FedArray:
        """What the network is given before its normalisation: the bands, or where there are none the pixels."""
        return self.pixels if self.bands is None else self.bands

    def fed_with(self, fed: FedArray) -> Self:
        """The same view of other numbers, in the shape and width of `fed`. Of bands, what is shown stays."""
        return replace(self, pixels=fed) if self.bands is None else replace(self, bands=fed)

    def mirrored(self) -> Self:
        """The same view, left and right exchanged."""
        bands = None if self.bands is None else np.ascontiguousarray(self.bands[:, ::-1])
        return replace(self, pixels=np.ascontiguousarray(self.pixels[:, ::-1]), bands=bands)
