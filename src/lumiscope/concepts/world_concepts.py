"""The words of the built-in world as concepts: everything that its pictures can show."""

from __future__ import annotations

WORLD = "world"

# A scene of the world is a place to everybody else.
CATEGORY_OF_KIND = {"object": "object", "part": "part", "colour": "colour", "texture": "texture", "scene": "place"}


def world_words() -> dict[str, str]:
    """Every word of `lumiscope.world.WORDS` with its category; a word of two kinds has that of the first."""
    from lumiscope.world import WORDS

    words: dict[str, str] = {}
    for kind, members in WORDS.items():
        for word in members:
            words.setdefault(word, CATEGORY_OF_KIND[kind])
    return words
