"""Categories of concepts with their fixed colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lumiscope.concepts.categories import OTHER
from lumiscope.report.palette import category_colour, further_categories, text_colour


@dataclass(frozen=True)
class Category:
    """A category and its fixed colours: of its bars, and of text on them."""

    name: str
    colour: str
    text: str


def coloured(names: Iterable[str], known_as: Callable[[str], str] = str) -> dict[str, Category]:
    """Each name once, in order, with its colours. `known_as`: the category that a name is, "other" for one of its own.

    A name that is no category has a spare colour.
    """
    known = {name: known_as(name) for name in names}
    own = further_categories([name for name, category in known.items() if category in (name, OTHER)])
    colours = {name: category_colour(name if name in own else known[name], own) for name in known}
    return {name: Category(name, colour, text_colour(colour)) for name, colour in colours.items()}
