"""Sections of the report by name, and the decorator that registers them.

A section is a folder `sections/certainty/` with a function in `section.py`,

    @section("certainty", title="Certainty", order=45, needs=(PredictionRow,))
    def certainty(page: Page) -> list[PredictionRow]:
        return [row for row in page.run.rows(PredictionRow) if row.rank == 1]

and beside it `certainty.html.j2`, which calls by the section's name what the function gives, and where they are wanted
`certainty.css` and `certainty.js`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lumiscope.registry import Registry

if TYPE_CHECKING:
    from lumiscope.report.page import Page
    from lumiscope.runs import RunReader

Content = TypeVar("Content")


@dataclass(frozen=True)
class Section:
    """One section of the page.

    `link`: its title in the navigation. `needs`: the tables that it is about, by their rows; `shows`: others that it
    shows, too. `content`: what its template shows, made from the page. `folder`: where the template is.
    """

    name: str
    title: str
    link: str
    needs: tuple[type[object], ...]
    shows: tuple[type[object], ...]
    content: Callable[[Page], object]
    folder: Path

    @property
    def anchor(self) -> str:
        """What a link to it says after the #."""
        return self.name.replace("_", "-")

    @property
    def template(self) -> str:
        """The name of its template."""
        return f"{self.name}/{self.name}.html.j2"

    @property
    def css(self) -> str:
        """Its style sheet; "" without one."""
        return self._text(".css")

    @property
    def script(self) -> str:
        """Its script; "" without one."""
        return self._text(".js")

    def is_part_of(self, run: RunReader) -> bool:
        """Whether a run has anything for it: a row in one of the tables that it needs. Without needs it always is."""
        return not self.needs or any(run.rows(row) for row in self.needs)

    def _text(self, ending: str) -> str:
        path = self.folder / f"{self.name}{ending}"
        return path.read_text(encoding="utf-8") if path.is_file() else ""


SECTIONS: Registry[Section] = Registry("section", package="lumiscope.report.sections")


def section(
    name: str,
    *,
    title: str,
    order: int,
    needs: tuple[type[object], ...] = (),
    shows: tuple[type[object], ...] = (),
    link: str | None = None,
) -> Callable[[Callable[[Page], Content]], Callable[[Page], Content]]:
    """Register the decorated function as a section: it makes what `NAME.html.j2` beside it shows.

    `title`: the heading. `order`: the sections follow it. `needs`: rows of tables; where a run has none of any of them,
    the section is left out. `shows`: rows of other tables that it shows; what a finding says of these links to it.
    `link`: a shorter title for the navigation.
    """

    def register(content: Callable[[Page], Content]) -> Callable[[Page], Content]:
        folder = Path(inspect.getfile(content)).parent
        entry = Section(name, title, link or title, needs, shows, content, folder)
        SECTIONS.register(name, entry, defined_by=content, order=order)
        return content

    return register
