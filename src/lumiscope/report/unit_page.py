"""One unit as a page of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumiscope.errors import UsageError
from lumiscope.report.embed import Thumbnails
from lumiscope.report.environment import environment, without_links
from lumiscope.report.unit_pictures import UnitPictures
from lumiscope.report.units import unit_of
from lumiscope.store import write_atomically

if TYPE_CHECKING:
    from lumiscope.study import Run

SIDE = 192  # pixels of a picture


def write_unit_page(
    run: Run, row: Mapping[str, Any], path: Path, crops: Iterable[Mapping[str, Any]] | None = None
) -> Path:
    """Write all that is known of one unit as a self-contained page, and return `path`.

    `row`: of the run's units table. `crops`: rows as in `unit_crops`; None: those of the run.
    Errors: `UsageError` for a path that does not end in .html.
    """
    if path.suffix != ".html":
        raise UsageError(f"expected a file that ends in .html; got {path}")
    thumbnails = Thumbnails(side=SIDE)
    unit = unit_of(row, UnitPictures(run, thumbnails, crops))
    template = environment().get_template("unit_page.html.j2")
    text = template.render(unit=unit, run=run.name, thumbnail_rules=thumbnails.rules)
    write_atomically(path, without_links(text).encode("utf-8", errors="backslashreplace"))
    return path
