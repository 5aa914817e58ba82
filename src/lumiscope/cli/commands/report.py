"""`lumiscope report`: the report of a run, made again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.output import print_data


@command("report", order=80)
def report(run: Annotated[Path, typer.Argument(help="A run folder.")]) -> None:
    """Write the report of a run again.

    It comes from the run's tables and the store; prints where it is.
    """
    from lumiscope.report import write_report
    from lumiscope.runs import Run

    print_data(write_report(Run.open(run)))
