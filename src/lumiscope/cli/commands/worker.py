"""`lumiscope worker`: scores what was handed in to a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import SERVER_DATABASE, SERVER_DIR


@command("worker", order=137)
def worker(
    dir: SERVER_DIR = Path("lumiscope-server"),
    database: SERVER_DATABASE = "",
    with_parent: Annotated[bool, typer.Option("--with-parent", help="End when whoever started it does.")] = False,
) -> None:
    """Score submissions, one after another, until it is stopped.

    Any number may work, on any number of machines that share a PostgreSQL database and have the same challenges. A
    worker that is killed loses nothing: another takes what it had.
    """
    from lumiscope.server.serving import Serving

    Serving(dir, database).work(with_parent=with_parent)
