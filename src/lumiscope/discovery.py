"""What a package holds: its modules, which register themselves when they are imported, and their source."""

from __future__ import annotations

import functools
import hashlib
import importlib
import pkgutil
from pathlib import Path


@functools.cache
def import_members(package: str) -> None:
    """Import every module of `package`, once."""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")


def import_siblings(registry: str) -> None:
    """Import every module of the package in which the module `registry` lies."""
    import_members(registry.rpartition(".")[0])


def source_digest(package: str) -> str:
    """Sha256 (hex) of the source of every module in `package` and below: a version that nobody can forget to raise."""
    digest = hashlib.sha256()
    for folder in importlib.import_module(package).__path__:
        for path in sorted(Path(folder).rglob("*.py")):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
