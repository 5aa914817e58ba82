"""`lumiscope server token`: a token for somebody who hands in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import SERVER_DATABASE, SERVER_DIR

GROUP = "Look after an evaluation server."


@command("server token", order=300, group=GROUP)
def server_token(
    name: Annotated[str, typer.Argument(help="Of the submitter.")],
    dir: SERVER_DIR = Path("lumiscope-server"),
    database: SERVER_DATABASE = "",
    admin: Annotated[bool, typer.Option("--admin", help="For somebody who runs the server.")] = False,
    days: Annotated[float | None, typer.Option(help="After which it expires; never, if not given.")] = None,
) -> None:
    """Print a new token, which cannot be shown again. Its owner sets LUMISCOPE_TOKEN to it."""
    from lumiscope.server.serving import Serving

    print(Serving(dir, database).token(name, admin=admin, days=days))
