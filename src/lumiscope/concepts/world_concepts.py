"""The words of the built-in world as concepts: everything that its pictures can show."""

from __future__ import annotations

from lumiscope.concepts.categories import CATEGORIES, OTHER

WORLD = "world"

# What annotations call by another name than the categories do.
CATEGORY_OF_KIND = {"scene": "place", "color": "colour"}


def category_of_kind(kind: str) -> str:
    """The category (one of `CATEGORIES`) that a kind of annotation is: scenes are places; "other" where it is none."""
    plain = kind.strip().lower()
    category = CATEGORY_OF_KIND.get(plain, plain)
    return category if category in CATEGORIES else OTHER


def world_words() -> dict[str, str]:
    """Every word of `lumiscope.world.WORDS` with its category; a word of two kinds has that of the first."""
    from lumiscope.world import WORDS

    words: dict[str, str] = {}
    for kind, members in WORDS.items():
        for word in members:
            words.setdefault(word, category_of_kind(kind))
    return words
