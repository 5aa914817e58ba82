"""What a child tries in order to get out; run in a child (see `choose`)."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lumiscope.server.isolation._kernel import PR_SET_PDEATHSIG, prctl


def attempts(
    request: Mapping[str, Any], parts: Mapping[str, bytes], progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """Guarantee -> whether every attempt against it was refused.

    `request`: `secret`, a file that it must not read, and `folder`, a place where it must not write.
    """
    tries: dict[str, tuple[Callable[[], object], ...]] = {
        "network": tuple(_opens(family, kind) for family, kind in _sockets()),
        "files": (lambda: Path(request["secret"]).read_bytes(), lambda: Path("/etc/shadow").read_bytes()),
        "processes": (_fork,),
        "disk": (lambda: (Path(request["folder"]) / "written").write_bytes(b"x"),),
        "signals": (lambda: os.kill(request["parent"], 0),),
        "parent": (lambda: prctl(PR_SET_PDEATHSIG, 0),),
    }
    return {name: all(_refused(attempt) for attempt in group) for name, group in tries.items()}


def _sockets() -> list[tuple[int, int]]:
    families = [socket.AF_INET, socket.AF_INET6, socket.AF_UNIX]
    return [(family, kind) for family in families for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]


def _opens(family: int, kind: int) -> Callable[[], object]:
    return lambda: socket.socket(family, kind).close()


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
