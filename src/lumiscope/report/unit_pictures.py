"""Pictures of units: probing images, cropped to where the unit fires where that is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumiscope.report.embed import Thumbnails
from lumiscope.report.numbers import significant
from lumiscope.store import content_key
from lumiscope.types import ByteArray

if TYPE_CHECKING:
    from lumiscope.study import Run

Box = tuple[float, float, float, float]
SMALLEST = 24  # pixels of a view: a smaller crop would show nothing but blur


@dataclass(frozen=True)
class Shot:
    """One picture of a unit. `css`: the class of its thumbnail, "" without a file. `cropped`: to where the unit fires.

    `activation`: the unit's, None where it is not known.
    """

    name: str
    css: str
    cropped: bool
    activation: float | None = None

    @property
    def text(self) -> str:
        """What the picture is, in words."""
        active = "" if self.activation is None else f", activation {significant(self.activation)}"
        if not self.css:
            return f"probing image {self.name}: its file is gone{active}"
        return f"{'part of ' if self.cropped else ''}probing image {self.name}{active}"


class UnitPictures:
    """Makes the pictures of units. `crops`: rows of the table `unit_crops`; None: those of the run."""

    def __init__(self, run: Run, thumbnails: Thumbnails, crops: Iterable[Mapping[str, Any]] | None = None) -> None:
        self._run = run
        self._thumbnails = thumbnails
        rows = run.table("unit_crops").to_pylist() if crops is None else crops
        self._boxes: dict[tuple[str, str, int, str], Box] = {
            (row["model"], row["layer"], row["unit"], row["image"]): (
                row["left"], row["top"], row["right"], row["bottom"],
            )
            for row in rows
        }  # fmt: skip
        self._digests = {row["image"]: row["sha256"] for row in run.table("probing_images").to_pylist()}
        self._geometries = {row["model"]: _geometry(row) for row in run.table("models").to_pylist()}

    def shot(self, unit: Mapping[str, Any], name: str, activation: float | None = None) -> Shot:
        """The picture of a unit on one image: a crop where there is one, else the whole image."""
        box = self._boxes.get((unit["model"], unit["layer"], unit["unit"], name))
        if box is not None:
            css = self._crop(unit["model"], name, box)
            if css:
                return Shot(name, css, True, activation)
        css = self._thumbnails.css_class(
            f"probe {name}", lambda: self._run.probing_pixels(name), self._digests.get(name)
        )
        return Shot(name, css, False, activation)

    def _crop(self, model: str, name: str, box: Box) -> str:
        facts = [name, self._digests.get(name), self._geometries.get(model), [round(side, 4) for side in box]]
        key = content_key(["crop", *facts])
        digest = key if name in self._digests else None
        return self._thumbnails.css_class(key, lambda: self._cropped(model, name, box), digest)

    def _cropped(self, model: str, name: str, box: Box) -> ByteArray | None:
        view = self._run.probing_view(model, name)
        return None if view is None else square_crop(view.pixels, box)


def square_crop(pixels: ByteArray, box: Box) -> ByteArray:
    """Cut the box out of `pixels`, (H, W, 3), widened to a square that lies inside the picture.

    `box`: left, top, right, bottom in [0, 1]. The square is at least `SMALLEST` pixels wide and at most as wide as the
    picture's shorter side.
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    side = min(max(math.ceil(max(right - left, bottom - top)), SMALLEST), height, width)
    column = min(max(round((left + right - side) / 2), 0), width - side)
    row = min(max(round((top + bottom - side) / 2), 0), height - side)
    return pixels[row : row + side, column : column + side]


def _geometry(row: Mapping[str, Any]) -> list[Any]:
    """What decides how an image becomes the model's view."""
    names = ("input_height", "input_width", "resize_height", "resize_width", "geometry", "interpolation")
    return [row[name] for name in names]
