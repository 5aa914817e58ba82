"""`lumiscope server`: tokens, and everything in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import JSON, SERVER_DATABASE, SERVER_DIR
from lumiscope.cli.output import print_data, print_json, say

GROUP = "Look after an evaluation server: tokens, and copies of everything."
FILE = Annotated[Path, typer.Argument(help="The file of the copy.")]
HERE = Path("lumiscope-server")


@command("server token", order=160, group=GROUP)
def token(
    name: Annotated[str, typer.Argument(help="Of the submitter.")],
    dir: SERVER_DIR = HERE,
    database: SERVER_DATABASE = "",
    admin: Annotated[bool, typer.Option("--admin", help="For somebody who runs the server.")] = False,
    days: Annotated[float | None, typer.Option(help="After which it expires; never, if not given.")] = None,
    json: JSON = False,
) -> None:
    """Print a new token for somebody who hands in.

    It cannot be shown again: the server keeps its digest alone. Its owner sets LUMISCOPE_TOKEN to it, or signs in.

    \b
        lumiscope server token ada --days 120
    """
    from lumiscope.server.serving import Serving

    text = Serving(dir, database).token(name, admin=admin, days=days)
    if json:
        print_json({"name": name, "token": text})
    else:
        print_data(text)


@command("server backup", order=161, group=GROUP)
def backup(file: FILE, dir: SERVER_DIR = HERE) -> None:
    """Copy a server's folder with its database into one file, while it runs.

    The file holds true masks and digests of tokens: keep it as you keep the folder. Of PostgreSQL use pg_dump.
    """
    from lumiscope.server.backup import backup as copy

    copy(dir, file)
    say(f"{file} has everything in {dir}")


@command("server restore", order=162, group=GROUP)
def restore(file: FILE, dir: SERVER_DIR = HERE) -> None:
    """Make a server's folder of a copy.

    The folder is new or empty. `lumiscope serve --dir` starts it; what was being scored when it was copied is scored
    again.
    """
    from lumiscope.server.backup import restore as unpack

    unpack(file, dir)
    say(f"{dir} is as it was; start it by: lumiscope serve --dir {dir}")
