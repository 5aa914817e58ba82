"""What a child tries in order to get out; run in a child (see `choose`)."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lumiscope.server.isolation._kernel import PR_SET_PDEATHSIG, prctl

_FOLDERS = tuple(map(Path, ("/", "/tmp", "/var/tmp", "/dev", "/dev/shm", "/run")))


def attempts(
    request: Mapping[str, Any], parts: Mapping[str, bytes], progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """Guarantee -> whether every attempt against it was refused.

    `request`: `parent`, the server's process, and `secret`, a file of its, which must be neither read nor changed.
    """
    secret = Path(request["secret"])
    tries: dict[str, tuple[Callable[[], object], ...]] = {
        "network": tuple(_opens(family, kind) for family, kind in _sockets()),
        "files": (secret.read_bytes, Path("/etc/shadow").read_bytes),
        "processes": (_fork,),
        "disk": tuple(_writes_into(folder) for folder in (secret.parent, *_FOLDERS)),
        "changes": (lambda: os.truncate(secret, 0), lambda: os.remove(secret)),
        "signals": (lambda: os.kill(request["parent"], 0),),
        "parent": (lambda: prctl(PR_SET_PDEATHSIG, 0),),
    }
    return {name: all(_refused(attempt) for attempt in group) for name, group in tries.items()}


def _sockets() -> list[tuple[int, int]]:
    families = [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX]
    return [(family, kind) for family in families for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]


def _opens(family: int, kind: int) -> Callable[[], object]:
    return lambda: socket.socket(family, kind).close()


def _writes_into(folder: Path) -> Callable[[], object]:
    def write() -> None:
        place = folder / f".lumiscope-probe-{os.getpid()}"
        file = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        try:
            os.write(file, b"x")
        finally:
            os.close(file)
            os.remove(place)

    return write


def _fork() -> None:
    child = os.fork()
    if not child:
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def _refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return True
    return False
