"""The images at one glance: each view, and under it where every model looks."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.report.page import Page
from lumiscope.report.parts.thumbnail import Thumbnail
from lumiscope.runs import ExplanationRow, RunReader
from lumiscope.types import SegmentMap

IMAGES_SHOWN = 12


@dataclass(frozen=True)
class GlanceRow:
    """One row of thumbnails. `name`: "view" or the model. `thumbnails`: one for each image."""

    name: str
    thumbnails: tuple[Thumbnail, ...]


@dataclass(frozen=True)
class Glance:
    """The strip. `method`: the title of the method whose heat maps it shows. `images`: one a column."""

    method: str
    images: tuple[str, ...]
    rows: tuple[GlanceRow, ...]


def glance(page: Page) -> Glance | None:
    """The first images with the heat maps of the first method that makes such; None where none does."""
    explanations = page.run.rows(ExplanationRow)
    images = page.shown_images(list(dict.fromkeys(row.image for row in explanations)), IMAGES_SHOWN)
    models = dict.fromkeys(row.model for row in explanations)
    defined = {(row.model, row.image, row.method): row for row in explanations if not row.undefined}
    method = _heat_map_method(page.run, list(defined.values()))
    if method is None:
        return None
    views = [Thumbnail(page.view_class(image), f"{image}, view") for image in images]
    rows = [GlanceRow("view", tuple(views))]
    for model in models:
        explained = {image: defined.get((model, image, method)) for image in images}
        classes = {image: page.map_class(model, image, method) if row else "" for image, row in explained.items()}
        rows.append(GlanceRow(model, tuple(Thumbnail(css, f"{image}, {model}") for image, css in classes.items())))
    return Glance(page.method_title(method), tuple(images), tuple(rows))


def _heat_map_method(run: RunReader, explanations: list[ExplanationRow]) -> str | None:
    """The first method whose maps are no segments."""
    first = {row.method: row for row in reversed(explanations)}
    for method in dict.fromkeys(row.method for row in explanations):
        row = first[method]
        if not isinstance(run.saliency_map(row.model, row.image, method), SegmentMap):
            return method
    return None
