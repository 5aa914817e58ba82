"""How sentences call methods."""

from __future__ import annotations

from lumiscope.attribution import METHODS


def method_title(name: str) -> str:
    """The title of a registered method; any other name as it is."""
    method = METHODS.get(name)
    return name if method is None else method.title
