"""Categories of concepts with their fixed colours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lumiscope.report.palette import category_colour, further_categories, text_colour


@dataclass(frozen=True)
class Category:
    """A category and its fixed colours: of its bars, and of text on them."""

    name: str
    colour: str
    text: str


def coloured(names: Iterable[str]) -> dict[str, Category]:
    """Each name once, in order, with its colours."""
    once = list(dict.fromkeys(names))
    further = further_categories(once)
    colours = {name: category_colour(name, further) for name in once}
    return {name: Category(name, colour, text_colour(colour)) for name, colour in colours.items()}
