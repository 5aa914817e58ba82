"""How a registry finds its members: every module of a package is imported, and registers what it holds."""

from __future__ import annotations

import functools
import importlib
import pkgutil


@functools.cache
def import_members(package: str) -> None:
    """Import every module of `package`, once."""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")


def import_siblings(registry: str) -> None:
    """Import every module of the package in which the module `registry` lies."""
    import_members(registry.rpartition(".")[0])
