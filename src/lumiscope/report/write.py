"""Put the sections together and write them as one file that needs nothing from outside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lumiscope.report.agreement import agreement_of
from lumiscope.report.colour import gradient
from lumiscope.report.dissection import dissection_of
from lumiscope.report.embed import THUMBNAIL_SCOPE, Thumbnails
from lumiscope.report.environment import environment, without_links
from lumiscope.report.gallery import IMAGES_OPEN, TABLES_OPEN, gallery_of
from lumiscope.report.glance import glance_of
from lumiscope.report.models import models_of
from lumiscope.report.network_dissection import network_dissection_of
from lumiscope.report.provenance import provenance_of, skipped_of
from lumiscope.report.summary import summary_of
from lumiscope.store import write_atomically

if TYPE_CHECKING:
    from lumiscope.study import Run


def write_report(run: Run) -> Path:
    """Write `report.html` into the folder of `run` and return its path. An older report is replaced at once."""
    path = run.folder / "report.html"
    # A name from the disk may hold what is no Unicode; it is shown as an escape.
    write_atomically(path, render(run).encode("utf-8", errors="backslashreplace"))
    return path


def render(run: Run) -> str:
    """The page as text."""
    thumbnails = Thumbnails(run.collection("thumbnails", THUMBNAIL_SCOPE))
    text = (
        environment()
        .get_template("report.html.j2")
        .render(
            summary=summary_of(run, thumbnails),
            glance=glance_of(run, thumbnails),
            models=models_of(run),
            dissection=dissection_of(run, thumbnails),
            network_dissection=network_dissection_of(run, thumbnails),
            gallery=gallery_of(run),
            agreement=agreement_of(run),
            skipped=skipped_of(run),
            provenance=provenance_of(run),
            thumbnail_rules=thumbnails.rules,
            gradients={"unsigned": gradient(signed=False), "signed": gradient(signed=True)},
            images_open=IMAGES_OPEN,
            tables_open=TABLES_OPEN,
        )
    )
    thumbnails.keep()
    return without_links(text)
