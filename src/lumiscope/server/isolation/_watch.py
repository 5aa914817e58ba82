"""What a child and all that it started use, as Linux' /proc tells. Elsewhere nothing is known: limits alone hold."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_LEAST_ON_DISK = 4096
_KILLING_ROUNDS, _KILLING_SECONDS = 200, 0.01
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True)
class Usage:
    """Of all processes of a child together. `memory_bytes`, `peak_bytes`: resident, now and at most; what they share
    counts for each."""

    tasks: int = 0
    memory_bytes: int = 0
    peak_bytes: int = 0
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class _Process:
    """A line of /proc/PID/stat."""

    pid: int
    parent: int
    group: int
    session: int
    threads: int
    cpu_seconds: float
    resident: int


class Watch:
    """The processes of a child: itself, its descendants, and whoever is in their groups or sessions."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._members = {pid}
        self._strangers: set[int] = set()  # what was there and is none of the child's need not be looked at again

    def usage(self) -> Usage:
        """Of this moment."""
        processes = self._processes()
        return Usage(
            sum(process.threads for process in processes),
            sum(process.resident for process in processes),
            sum(_peak_bytes(process.pid) for process in processes),
            sum(process.cpu_seconds for process in processes),
        )

    def kill(self) -> None:
        """End all of them. To be called before the child is waited for: until then its number is nobody else's."""
        for _ in range(_KILLING_ROUNDS):
            with contextlib.suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)
            processes = self._processes()
            for process in processes:
                with contextlib.suppress(OSError):
                    os.kill(process.pid, signal.SIGKILL)
            if not processes:
                return
            time.sleep(_KILLING_SECONDS)

    def open_deleted_bytes(self, device: int) -> int:
        """Bytes on disk of files of `device` that were deleted, and are still held open."""
        sizes: dict[int, int] = {}
        for pid in self._members:
            with contextlib.suppress(OSError):
                for entry in os.scandir(_PROC / str(pid) / "fd"):
                    with contextlib.suppress(OSError):
                        status = os.stat(entry.path)
                        if status.st_dev == device and status.st_nlink == 0:
                            sizes[status.st_ino] = status.st_blocks * 512
        return sum(sizes.values())

    def _processes(self) -> list[_Process]:
        pids = _process_ids()
        self._strangers &= set(pids)
        members: dict[int, _Process] = {}
        for pid in pids:
            process = None if pid in self._strangers else _process(pid)
            if process is None:
                continue
            kin = {pid, process.parent, process.group, process.session}
            if kin & (self._members | members.keys()):
                members[pid] = process
            else:
                self._strangers.add(pid)
        self._members = {self.pid, *members}
        return list(members.values())


def users_tasks(user: int) -> int | None:
    """How many processes and threads a user has now; None where that is not known."""
    count = 0
    for pid in _process_ids():
        with contextlib.suppress(OSError):
            if (_PROC / str(pid)).stat().st_uid == user:
                process = _process(pid)
                count += process.threads if process is not None else 0
    return count or None


def folder_bytes(folder: Path) -> int:
    """Bytes on disk of what lies in a folder; of an empty file, too, since its entry takes room."""
    total = 0
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with contextlib.suppress(OSError):
                total += max(_LEAST_ON_DISK, os.lstat(os.path.join(place, name)).st_blocks * 512)
    return total


def _process_ids() -> list[int]:
    """In the order in which they began, as far as numbers tell: a parent mostly before its children."""
    try:
        return sorted(int(name) for name in os.listdir(_PROC) if name.isdigit())
    except OSError:
        return []


def _process(pid: int) -> _Process | None:
    """None where it has ended, or is a zombie."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before may hold anything
    if fields[0] in "ZX":
        return None
    parent, group, session = map(int, fields[1:4])
    cpu_seconds = (int(fields[11]) + int(fields[12])) / _TICKS
    return _Process(pid, parent, group, session, int(fields[17]), cpu_seconds, int(fields[21]) * _PAGE)


def _peak_bytes(pid: int) -> int:
    # Not from getrusage: that counts what the parent had before the child's program was loaded.
    try:
        text = (_PROC / str(pid) / "status").read_text(errors="replace")
    except OSError:
        return 0
    peak = re.search(r"^VmHWM:\s+(\d+) kB", text, re.MULTILINE)
    return int(peak[1]) * 1024 if peak else 0
