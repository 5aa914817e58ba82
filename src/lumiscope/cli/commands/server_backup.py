"""`lumiscope server backup` and `restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.commands.server_token import GROUP
from lumiscope.cli.options import SERVER_DIR

FILE = Annotated[Path, typer.Argument(help="The file of the copy.")]


@command("server backup", order=310, group=GROUP)
def server_backup(file: FILE, dir: SERVER_DIR = Path("lumiscope-server")) -> None:
    """Copy a server's folder with its database into one file, while it runs. Of PostgreSQL use pg_dump."""
    from lumiscope.server.backup import backup

    backup(dir, file)
    print(f"{file} has everything in {dir}")


@command("server restore", order=320, group=GROUP)
def server_restore(file: FILE, dir: SERVER_DIR = Path("lumiscope-server")) -> None:
    """Make a server's folder of such a file, where there is none."""
    from lumiscope.server.backup import restore

    restore(file, dir)
    print(f"{dir} is as it was; start it by: lumiscope serve --dir {dir}")
