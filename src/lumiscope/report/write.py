"""The report of a run as one file."""

from __future__ import annotations

from pathlib import Path

from lumiscope.files import write_atomically
from lumiscope.report.page import render
from lumiscope.runs import RunReader


def write_report(run: RunReader) -> Path:
    """Write `report.html` into the folder of `run` and return its path. An older report is replaced at once."""
    path = run.folder / "report.html"
    # A name from the disk may hold what is no Unicode; it is shown as an escape.
    write_atomically(path, render(run).encode("utf-8", errors="backslashreplace"))
    return path
