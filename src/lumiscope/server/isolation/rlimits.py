"""Limits of the process alone: what is left where neither bubblewrap nor Landlock can be had."""

from __future__ import annotations

from typing import ClassVar, Literal

from lumiscope.server.isolation.isolation import Isolation


class Rlimits(Isolation):
    """Memory, time, files written and output are limited; network, files of the server's user and signals are not.

    Processes are counted by the parent, and by RLIMIT_NPROC unless the server runs as root. A child that means harm
    can leave its group and so outlive the server.
    """

    name: ClassVar[str] = "rlimits"
    strength: ClassVar[Literal["strong", "weak"]] = "weak"
    layers: ClassVar[tuple[str, ...]] = ()

    def lacking(self) -> str:
        """It can always be had."""
        return ""
