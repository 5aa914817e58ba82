"""`lumiscope serve`: the evaluation server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import SERVER_DATABASE, SERVER_DIR
from lumiscope.cli.output import progress, say


@command("serve", order=136)
def serve(
    dir: SERVER_DIR = Path("lumiscope-server"),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8000,
    database: SERVER_DATABASE = "",
    workers: Annotated[int, typer.Option(min=0, help="Workers to start; 0: start them by `lumiscope worker`.")] = 1,
    accept_weak_isolation: Annotated[
        bool,
        typer.Option("--accept-weak-isolation", help="Listen beyond this machine under limits alone."),
    ] = False,
) -> None:
    """Take hand-ins to challenges, score them, and show where everybody stands.

    Makes the folder with the built-in challenge `world` where there is none, and prints the admin's token once. Make
    more challenges in its folder `challenges` with `lumiscope challenge init`.

    \b
        lumiscope serve
        lumiscope server token ada
    """
    from lumiscope.server.serving import Serving

    Serving(dir, database).run(host, port, workers, say, accept_weak=accept_weak_isolation, track=progress)
