"""Shares of a whole as pieces of a bar."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.report.parts.category import Category


@dataclass(frozen=True)
class Piece:
    """One piece. `width`: in [0, 1] of the bar's room. `text`: inside, "" where it has no room. `title`: all of it."""

    category: Category
    width: float
    text: str
    title: str


@dataclass(frozen=True)
class StackedBar:
    """Coloured pieces side by side in one bar. `label`: what they show, for those who cannot see it."""

    label: str
    pieces: tuple[Piece, ...]
