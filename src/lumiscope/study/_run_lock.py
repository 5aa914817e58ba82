"""One run at a time in a run folder: who comes second waits for the first, and is told for whom.

The lock is the system's, on the file `lock.json` of the run folder: it ends with the process that holds it, however
that ends, so no lock is ever left behind. What the file says is for people: whose it is, and since when.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import os
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from lumiscope.errors import StoreError
from lumiscope.file_lock import is_unlinked, lock_file
from lumiscope.files import MOST_FACTS, parse_json, read_text, refuse_odd_entry, writing

LOCK = "lock.json"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Owner:
    """Who holds the lock. `since`: ISO 8601."""

    process: int
    host: str
    since: str

    @classmethod
    def this_process(cls) -> Owner:
        """The one that asks."""
        return cls(os.getpid(), socket.gethostname(), datetime.datetime.now().astimezone().isoformat("T", "seconds"))

    def waits_for_us(self) -> bool:
        """Whether it is this process or the one that started it, so that waiting for it might never end."""
        return self.host == socket.gethostname() and self.process in (os.getpid(), os.getppid())

    def __str__(self) -> str:
        began = datetime.datetime.fromisoformat(self.since)
        age = max(0, round((datetime.datetime.now(began.tzinfo) - began).total_seconds()))
        return f"process {self.process} on {self.host}, since {began:%Y-%m-%d %H:%M:%S} ({age // 60} min {age % 60} s)"


@contextlib.contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a run folder, which is made where it is missing; wait while another process holds it.

    Errors: `StoreError` where the folder cannot be written, or where the lock is this process's or its parent's.
    """
    path = folder / LOCK
    with writing(path):
        folder.mkdir(parents=True, exist_ok=True)
        handle = _locked(path)
    try:
        with writing(path):
            os.ftruncate(handle, 0)
            os.write(handle, json.dumps(asdict(Owner.this_process())).encode())
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(handle)


def _locked(path: Path) -> int:
    """The file, open and locked."""
    while True:
        refuse_odd_entry(path)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        try:
            _lock(handle, path)
            if not is_unlinked(handle):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # whoever held it has removed it


def _lock(handle: int, path: Path) -> None:
    try:
        if lock_file(handle):
            return
    except OSError as error:
        logger.warning("%s cannot be locked (%s): let no other run of this name begin meanwhile", path, error)
        return
    owner = _owner(path)
    if owner is not None and owner.waits_for_us():
        raise StoreError(
            f"the run {path.parent} is under way already in this process or the one that started it ({owner}). "
            "Wait until it has finished, or give this run another name."
        )
    logger.warning(
        "the run %s is under way already (%s): waiting until it has finished. What it computes is not computed again; "
        "Ctrl-C ends the waiting, --name makes a run of its own",
        path.parent,
        owner or "another process",
    )
    lock_file(handle, wait=True)


def _owner(path: Path) -> Owner | None:
    """Who holds the lock; None where the file does not say it (yet)."""
    try:
        owner = Owner(**parse_json(read_text(path, MOST_FACTS)))
        str(owner)
    except (OSError, ValueError, TypeError):
        return None
    return owner
