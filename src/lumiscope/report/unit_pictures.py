"""Pictures of units: probing images, cropped to where the unit fires where that is known."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lumiscope.report._thumbnails import Thumbnails
from lumiscope.report.numbers import significant
from lumiscope.report.parts.thumbnail import Thumbnail
from lumiscope.runs import ModelRow, ProbingImageRow, RunReader, UnitCropRow, UnitRow
from lumiscope.store import content_key
from lumiscope.types import ByteArray

SMALLEST = 24  # pixels of a view: a smaller crop would show nothing but blur


@dataclass(frozen=True)
class UnitPicture:
    """One picture of a unit. `css`: the class of its thumbnail, "" without a file.

    `is_cropped`: to where the unit fires. `activation`: the unit's, None where it is not known.
    """

    image: str
    css: str
    is_cropped: bool
    activation: float | None = None

    @property
    def text(self) -> str:
        """What the picture is, in words."""
        active = "" if self.activation is None else f", activation {significant(self.activation)}"
        if not self.css:
            return f"probing image {self.image}: its file is gone{active}"
        return f"{'part of ' if self.is_cropped else ''}probing image {self.image}{active}"

    @property
    def thumbnail(self) -> Thumbnail:
        """The picture, drawn."""
        return Thumbnail(self.css, self.text, tooltip=True)


class UnitPictures:
    """Makes the pictures of units. `crops`: where units fire; None: what the run knows of it."""

    def __init__(self, run: RunReader, thumbnails: Thumbnails, crops: Iterable[UnitCropRow] | None = None) -> None:
        self._run = run
        self._thumbnails = thumbnails
        crops = run.rows(UnitCropRow) if crops is None else crops
        self._crops = {(crop.model, crop.layer, crop.unit, crop.image): crop for crop in crops}
        self._digests = {row.image: row.sha256 for row in run.rows(ProbingImageRow)}
        self._models = {row.model: row for row in run.rows(ModelRow)}

    def picture(self, unit: UnitRow, image: str, activation: float | None = None) -> UnitPicture:
        """The picture of a unit on one image: a crop where there is one, else the whole image."""
        crop = self._crops.get((unit.model, unit.layer, unit.unit, image))
        css = "" if crop is None else self._cropped_class(crop)
        if css:
            return UnitPicture(image, css, True, activation)
        css = self._thumbnails.css_class(
            f"probe {image}", lambda: self._run.probing_pixels(image), self._digests.get(image)
        )
        return UnitPicture(image, css, False, activation)

    def _cropped_class(self, crop: UnitCropRow) -> str:
        box = [round(side, 4) for side in (crop.left, crop.top, crop.right, crop.bottom)]
        digest = self._digests.get(crop.image)
        key = content_key(["crop", crop.image, digest, _geometry(self._models.get(crop.model)), box])
        return self._thumbnails.css_class(key, lambda: self._cropped(crop), None if digest is None else key)

    def _cropped(self, crop: UnitCropRow) -> ByteArray | None:
        view = self._run.probing_view(crop.model, crop.image)
        return None if view is None else square_crop(view.pixels, crop)


def square_crop(pixels: ByteArray, crop: UnitCropRow) -> ByteArray:
    """Cut a crop out of `pixels`, (H, W, 3), widened to a square that lies inside the picture.

    The square is at least `SMALLEST` pixels wide and at most as wide as the picture's shorter side.
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = crop.left * width, crop.top * height, crop.right * width, crop.bottom * height
    side = min(max(math.ceil(max(right - left, bottom - top)), SMALLEST), height, width)
    column = min(max(round((left + right - side) / 2), 0), width - side)
    row = min(max(round((top + bottom - side) / 2), 0), height - side)
    return pixels[row : row + side, column : column + side]


def _geometry(model: ModelRow | None) -> list[int | str | None] | None:
    """What decides how an image becomes the model's view."""
    if model is None:
        return None
    size = [model.input_height, model.input_width, model.resize_height, model.resize_width]
    return [*size, model.geometry, model.interpolation]
