"""A small square picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thumbnail:
    """A small square picture, or a question mark where it is gone.

    `css`: the class that shows it, "" where it is gone. `text`: what it is, for those who cannot see it; `tooltip`:
    whether the mouse shows that, too.
    """

    css: str
    text: str
    tooltip: bool = False
