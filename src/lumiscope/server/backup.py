"""A server in one file, and back: SQLite's online copy, so that nobody has to stop."""

from __future__ import annotations

import sqlite3
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from lumiscope.errors import UsageError
from lumiscope.files import writing
from lumiscope.server._folder import DATABASE, ServerFolder

LIVE = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")  # files that change while they are copied


def backup(folder: Path, file: Path) -> None:
    """Write everything in the server's `folder` into `file` (tar.gz). Errors: `UsageError`, `StoreError`."""
    ServerFolder(folder).check()
    if file.exists():
        raise UsageError(f"{file} is there already; name a new file")
    database = folder / DATABASE
    with tempfile.TemporaryDirectory() as temporary, writing(file), tarfile.open(file, "x:gz") as archive:
        file.chmod(0o600)
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in LIVE):
            archive.add(path, path.relative_to(folder).as_posix(), recursive=False)
        if database.exists():
            copy = Path(temporary) / DATABASE
            with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
            archive.add(copy, DATABASE, recursive=False)


def restore(file: Path, folder: Path) -> None:
    """Unpack `file` into a new or empty `folder`. Errors: `UsageError`, `StoreError`."""
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"expected a new or empty folder to restore into; {folder} holds something")
    try:
        with writing(folder), tarfile.open(file, "r:gz") as archive:
            archive.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise UsageError(f"expected a file of `lumiscope server backup`; {file} is none ({error})") from error
    with writing(folder):
        folder.chmod(0o700)
        (folder / "secret").chmod(0o600)
        for truth in folder.glob("challenges/*/truth"):
            truth.chmod(0o700)
