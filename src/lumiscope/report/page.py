"""The sections put together as one text that needs nothing from outside."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import PIL
from markupsafe import Markup

from lumiscope.images import DECODERS, Geometry
from lumiscope.memo import Memo, Results
from lumiscope.report._environment import environment, part_styles, without_links
from lumiscope.report._page_head import page_head
from lumiscope.report._thumbnails import SIDE, Thumbnails
from lumiscope.report.colour import gradient, overlay
from lumiscope.report.picture import QUALITY
from lumiscope.report.registry import SECTIONS
from lumiscope.report.unit_pictures import UnitPictures
from lumiscope.runs import GROUND_TRUTH, FindingRow, ImageRow, ModelRow, RunReader, table_of
from lumiscope.types import ByteArray


@dataclass(frozen=True)
class Page:
    """What a section makes its content from: a run, and the thumbnails of the page that it adds to."""

    run: RunReader
    thumbnails: Thumbnails = field(default_factory=Thumbnails)

    def method_title(self, method: str) -> str:
        """The title of a method, or of the true mask, that readers know it by."""
        return "ground truth" if method == GROUND_TRUTH else self.run.manifest.titles.get(method, method)

    def shown_images(self, images: Sequence[str], count: int) -> list[str]:
        """The first `count` of `images` in order, and those that a finding names in any case."""
        named = {image for finding in self.run.rows(FindingRow) for image in finding.named_images}
        others = [image for image in images if image not in named]
        shown = named | set(others[: max(count - len(named & set(images)), 0)])
        return [image for image in images if image in shown]

    def table_anchor(self, table: str) -> str:
        """Where this page shows a table that a finding was computed from; if no section does, where it names it."""
        return self._sections.get(table, f"table-{table}")

    @functools.cached_property
    def unshown_tables(self) -> tuple[str, ...]:
        """Those that findings were computed from and no section shows, in order."""
        return tuple(
            name
            for name in dict.fromkeys(name for row in self.run.rows(FindingRow) for name in row.table_names)
            if name not in self._sections
        )

    @functools.cached_property
    def _sections(self) -> dict[str, str]:
        """Table -> the anchor of the first section that shows it."""
        anchors: dict[str, str] = {}
        for section in SECTIONS.values():
            for row in (*section.needs, *section.shows) if section.is_part_of(self.run) else ():
                anchors.setdefault(table_of(row).name, section.anchor)
        return anchors

    def anchor(self, image: str) -> str:
        """What a link to all maps of an image ends with."""
        return f"image-{self._places[image]}"

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        return {row.image: place for place, row in enumerate(self.run.rows(ImageRow), 1)}

    def view_class(self, image: str) -> str:
        """The CSS class of an image's thumbnail, as the first model that can sees it; "" where none can."""

        def load() -> ByteArray | None:
            views = (self.run.view(row.model, image) for row in self.run.rows(ModelRow))
            return next((view.pixels for view in views if view is not None), None)

        return self.thumbnails.css_class(f"image {image}", load)

    def map_class(self, model: str, image: str, method: str) -> str:
        """The CSS class of the thumbnail of a map on its view; "" where there is none."""

        def load() -> ByteArray | None:
            view = self.run.view(model, image)
            return None if view is None else overlay(view.pixels, self.run.saliency_map(model, image, method).display())

        return self.thumbnails.css_class(f"{model} {image} {method}", load)


def kept_thumbnails(memo: Memo) -> Results:
    """Those that earlier reports made, by digest. `memo`: beside the run."""
    inputs = {"side": SIDE, "quality": QUALITY, "pillow": PIL.__version__}
    return memo.results("thumbnails", inputs, made_by=[Thumbnails, UnitPictures, Geometry, *DECODERS])


def render(run: RunReader) -> str:
    """The report of a run."""
    page = Page(run, Thumbnails(kept_thumbnails(run.memo)))
    templates = environment()
    sections = [section for section in SECTIONS.values() if section.is_part_of(run)]
    bodies = [
        Markup(templates.get_template(section.template).render({section.name: section.content(page), "page": page}))
        for section in sections
    ]
    text = templates.get_template("page/page.html.j2").render(
        head=page_head(run),
        sections=list(zip(sections, bodies, strict=True)),
        styles=[part_styles(), *(Markup(section.css) for section in sections)],
        scripts=[Markup(section.script) for section in sections if section.script],
        thumbnail_rules=page.thumbnails.rules,
        gradients={"unsigned": gradient(signed=False), "signed": gradient(signed=True)},
    )
    page.thumbnails.keep()
    return without_links(text)
