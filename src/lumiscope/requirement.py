"""Packages that not every installation has."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass


@dataclass(frozen=True)
class Requirement:
    """A package that something needs. `module`: its name for `import`. `extra`: of lumiscope that brings it, if any."""

    package: str
    module: str
    extra: str = ""

    @property
    def missing(self) -> bool:
        """Whether it is not installed."""
        return importlib.util.find_spec(self.module) is None

    def __str__(self) -> str:
        wanted = f"'lumiscope[{self.extra}]'" if self.extra else self.package
        return f"the package {self.package}, which is not installed: pip install {wanted}"
