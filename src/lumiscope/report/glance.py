"""The images at one glance: each view, and under it where every model looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lumiscope.report.colour import overlay
from lumiscope.report.embed import Thumbnails
from lumiscope.report.pairs import method_titles
from lumiscope.types import SegmentMap

if TYPE_CHECKING:
    from lumiscope.study import Run
    from lumiscope.types import ByteArray

SHOWN = 12


@dataclass(frozen=True)
class GlanceRow:
    """One row of thumbnails. `name`: "view" or the model. `pictures`: for each image a CSS class, "" for none."""

    name: str
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class Glance:
    """View data of the strip. `method`: the title of the method whose heat maps it shows. `images`: their names."""

    images: tuple[str, ...] = ()
    method: str = ""
    rows: tuple[GlanceRow, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rows)


def glance_of(run: Run, thumbnails: Thumbnails) -> Glance:
    """Show the first images with the heat maps of the first method that makes such; empty where none does."""
    explanations = run.table("explanations").to_pylist()
    images = tuple(dict.fromkeys(row["image"] for row in explanations))[:SHOWN]
    models = tuple(dict.fromkeys(row["model"] for row in explanations))
    defined = {(row["model"], row["image"], row["method"]) for row in explanations if not row["undefined"]}
    for method in dict.fromkeys(row["method"] for row in explanations):
        first = next((key for key in defined if key[2] == method), None)
        if first is None or isinstance(run.saliency_map(*first), SegmentMap):
            continue

        def picture(model: str, image: str, method: str = method) -> str:
            key = (model, image, method)
            return thumbnails.css_class(" ".join(key), partial(_overlaid, run, *key)) if key in defined else ""

        views = (view_thumbnail(run, models, image, thumbnails) for image in images)
        looks = (GlanceRow(model, tuple(picture(model, image) for image in images)) for model in models)
        return Glance(images, method_titles(run.manifest)[method], (GlanceRow("view", tuple(views)), *looks))
    return Glance()


def view_thumbnail(run: Run, models: Sequence[str], image: str, thumbnails: Thumbnails) -> str:
    """The CSS class of an image's thumbnail, as the first model that can sees it; "" where none can."""

    def load() -> ByteArray | None:
        views = (run.view(model, image) for model in models)
        return next((view.pixels for view in views if view is not None), None)

    return thumbnails.css_class(f"image {image}", load)


def _overlaid(run: Run, model: str, image: str, method: str) -> ByteArray | None:
    view = run.view(model, image)
    return None if view is None else overlay(view.pixels, run.saliency_map(model, image, method).display())
