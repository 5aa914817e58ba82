"""Categories of concepts with their fixed colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lumiscope.concepts import OTHER
from lumiscope.report._palette import category_colour, further_categories, text_colour
from lumiscope.report.parts.category import Category


def coloured(names: Iterable[str], known_as: Callable[[str], str] = str) -> dict[str, Category]:
    """Each name once, in order, with its colours. `known_as`: the category that a name is, "other" for a new one.

    A name that is no category has a spare colour.
    """
    known = {name: known_as(name) for name in names}
    further = further_categories([name for name, category in known.items() if category in (name, OTHER)])
    colours = {name: category_colour(name if name in further else known[name], further) for name in known}
    return {name: Category(name, colour, text_colour(colour)) for name, colour in colours.items()}
