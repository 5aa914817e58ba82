"""One unit as a page of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lumiscope.errors import UsageError
from lumiscope.files import write_atomically
from lumiscope.report._environment import environment, part_styles, without_links
from lumiscope.report._thumbnails import Thumbnails
from lumiscope.report.parts.unit_details import UnitDetails
from lumiscope.report.unit_pictures import UnitPictures
from lumiscope.runs import RunReader, UnitCropRow, UnitRow

SIDE = 192  # pixels of a picture


def write_unit_page(run: RunReader, row: UnitRow, path: Path, crops: Iterable[UnitCropRow] | None = None) -> Path:
    """Write all that is known of one unit as a self-contained page, and return `path`.

    `crops`: where the unit fires; None: what the run knows of it.
    Errors: `UsageError` for a path that does not end in .html.
    """
    if path.suffix != ".html":
        raise UsageError(f"expected a file that ends in .html; got {path}")
    thumbnails = Thumbnails(side=SIDE)
    unit = UnitDetails.of(row, UnitPictures(run, thumbnails, crops))
    text = (
        environment()
        .get_template("page/unit_page.html.j2")
        .render(unit=unit, run=run.name, styles=[part_styles()], thumbnail_rules=thumbnails.rules)
    )
    write_atomically(path, without_links(text).encode("utf-8", errors="backslashreplace"))
    return path
