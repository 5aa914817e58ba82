"""Specs, `scheme:rest`, by which users name models and scorers: what in them is a path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

Change: TypeAlias = Callable[[str], str]
"""What is done to a path, as making it absolute."""
Paths: TypeAlias = Callable[[str, Change], str]
"""(the rest of a spec, change) -> the rest with every path in it changed."""


class Scheme(Protocol):
    """What is known of the specs that begin alike. `paths`: which parts of their rest are paths."""

    @property
    def paths(self) -> Paths:
        """See `Paths`."""
        ...


def no_path(rest: str, change: Change) -> str:
    """`Paths` of specs in which nothing is a path."""
    return rest


def one_path(rest: str, change: Change) -> str:
    """`Paths` of specs whose rest is a path."""
    return change(rest)


def change_paths(spec: str, schemes: Mapping[str, Scheme], change: Change) -> str:
    """`spec` with `change` applied to every path in it; as it is where nobody knows its scheme, or no rest follows."""
    name, _, rest = spec.partition(":")
    scheme = schemes.get(name)
    return spec if scheme is None or not rest else f"{name}:{scheme.paths(rest, change)}"
