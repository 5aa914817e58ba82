"""Bubblewrap: the child in namespaces of its own, with a file system of what it may read."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from lumiscope.server.isolation._installation import DEVICES, library_paths, program_paths
from lumiscope.server.isolation._seccomp import seccomp_lacking
from lumiscope.server.isolation.isolation import Isolation

SCRATCH = "/scratch"  # not /tmp: it would hide what is to be read there
_MACHINE = tuple(Path("/sys/devices/system") / name for name in ("cpu", "node"))


class Bubblewrap(Isolation):
    """Needs the program `bwrap` and user namespaces. Nothing outside `readable` and the installation exists inside."""

    name: ClassVar[str] = "bubblewrap"
    strength: ClassVar[Literal["strong", "weak"]] = "strong"
    layers: ClassVar[tuple[str, ...]] = ("seccomp",)
    scratch_inside: ClassVar[str] = SCRATCH

    def lacking(self) -> str:
        """Whether `bwrap` is there."""
        if shutil.which("bwrap") is None:
            return "there is no program bwrap here (Debian, Ubuntu: apt-get install bubblewrap)"
        return seccomp_lacking()

    def command(self, python: Sequence[str], readable: Sequence[Path], file_bytes: int) -> list[str]:
        """`bwrap` with one read-only bind a path; the root that holds them is read-only, too."""
        command = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--die-with-parent", "--new-session"]
        command += ["--cap-drop", "ALL", "--proc", "/proc"]
        for path in _outermost((*library_paths(), *program_paths(), *_MACHINE, *readable)):
            command += ["--ro-bind-try", str(path), str(path)]
        for device in DEVICES:
            command += ["--dev-bind", str(device), str(device)]
        if file_bytes:
            command += ["--size", str(file_bytes), "--tmpfs", SCRATCH]
        return [*command, "--remount-ro", "/", "--chdir", "/", "--", *python]

    def details(self) -> dict[str, Any]:
        """The version of `bwrap`."""
        program = shutil.which("bwrap")
        if program is None:
            return {}
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
        return {"program": program, "version": answer.stdout.strip()}


def _outermost(paths: Sequence[Path]) -> list[Path]:
    """`paths`, and what they are links to, without those that lie in another."""
    chosen: list[Path] = []
    for place in sorted({*paths, *(path.resolve() for path in paths)}):
        if not any(place.is_relative_to(outer) for outer in chosen):
            chosen.append(place)
    return chosen
