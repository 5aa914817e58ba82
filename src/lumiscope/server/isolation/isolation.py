"""What holds a scoring child in: its kind, and what was proved of it on this machine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

GUARANTEES = {
    "network": "it opens no socket",
    "files": "it reads what it is given and no other file",
    "processes": "it starts no other process",
    "disk": "it fills no disk",
    "changes": "it changes and removes no file",
    "signals": "it signals no other process",
    "parent": "it cannot outlive the server",
}
"""What a child tries in the proof, by name, and what it means that it failed."""


@dataclass(frozen=True)
class Isolation(ABC):
    """A way to hold a child in. Limits of memory, time, output and files hold under each (see `ChildLimits`).

    `proof`: guarantee (see `GUARANTEES`) -> whether a child that tried was refused; empty where none has tried.
    `passed_over`: stronger ways that cannot be had on this machine, and why.
    """

    name: ClassVar[str]
    strength: ClassVar[Literal["strong", "weak"]]
    layers: ClassVar[tuple[str, ...]]  # what the child lays on itself: landlock, seccomp
    scratch_inside: ClassVar[str] = ""  # a scratch folder that the child's own file system has; "" for one of the host
    proof: Mapping[str, bool] = field(default_factory=dict)
    passed_over: tuple[str, ...] = ()

    @abstractmethod
    def lacking(self) -> str:
        """Why it cannot be had on this machine, as far as that shows without a child; "" where it may."""

    def command(self, python: Sequence[str], readable: Sequence[Path], file_bytes: int) -> list[str]:
        """The command that starts the child. `python`: the program and its arguments."""
        return list(python)

    def details(self) -> dict[str, Any]:
        """Versions and places, for the admin."""
        return {}

    def facts(self) -> dict[str, Any]:
        """What the admin is shown: JSON."""
        return {
            "name": self.name,
            "strength": self.strength,
            "sentence": self.sentence(),
            "proved": {GUARANTEES[name]: held for name, held in self.proof.items()},
            "passed_over": list(self.passed_over),
            **self.details(),
        }

    def sentence(self) -> str:
        """What is printed when the server starts."""
        missing = [GUARANTEES[name] for name, held in self.proof.items() if not held]
        untried = "" if self.proof else "; no child has tried to get out"
        lack = f"; not held: {', '.join(missing)}" if missing else ""
        return f"isolation: {self.name} ({self.strength}){untried}{lack}"
