"""Landlock and seccomp: the child gives up files, sockets and processes before it is handed an upload."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from lumiscope.server.isolation._landlock_rules import landlock_version
from lumiscope.server.isolation._seccomp import seccomp_lacking
from lumiscope.server.isolation.isolation import Isolation


class Landlock(Isolation):
    """Needs Linux 5.13 with Landlock, and a processor whose system calls the filter knows; no program, no root.

    Names of files can be probed for (their status is not hidden), never their content.
    """

    name: ClassVar[str] = "Landlock and seccomp"
    strength: ClassVar[Literal["strong", "weak"]] = "strong"
    layers: ClassVar[tuple[str, ...]] = ("landlock", "seccomp")

    def lacking(self) -> str:
        """Whether the kernel has both."""
        if not landlock_version():
            return "this kernel has no Landlock (Linux 5.13 and later have it, unless it is switched off at start)"
        return seccomp_lacking()

    def details(self) -> dict[str, Any]:
        """The version of Landlock."""
        return {"landlock_version": landlock_version()}
