"""Things left out of a picture: the same draws, but they are not painted, so that nothing else moves."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.world.renderer.canvas import Paint
from lumiscope.world.renderer.colours import GREY
from lumiscope.world.renderer.vocabulary import OBJECTS, WORDS, part_number

MARK = "mark"

Omission = Callable[[Paint], Paint | None]
"""A paint -> what is painted in its place; None: nothing."""


def kind_of(word: str) -> str:
    """The kind of a word of the world, or "mark". Errors: `UnknownNameError` for any other."""
    kinds = {known: kind for kind, words in WORDS.items() for known in words}
    if word == MARK:
        return MARK
    if word not in kinds:
        raise UnknownNameError("word of the world", word, (*kinds, MARK))
    return kinds[word]


def check_omission(word: str) -> None:
    """Errors: `UnknownNameError` for a word that the world has not; `UsageError` for grey, as none can be taken out."""
    kind_of(word)
    if word == GREY:
        raise UsageError("expected a word that can be left out; grey is what a surface is without its colour")


def omission(words: Collection[str], scene: str) -> Omission:
    """Leave out all of `words`, each as `_omission` does. Errors: as `check_omission`."""
    omissions = [_omission(word, scene) for word in words]

    def replaced(paint: Paint) -> Paint | None:
        left: Paint | None = paint
        for omit in omissions:
            left = None if left is None else omit(left)
        return left

    return replaced


def _omission(word: str, scene: str) -> Omission:
    """Leave out an object with its shadow, a part, a texture, a colour, or the whole backdrop of a `scene`.

    What an object, a part or the backdrop hides is seen instead, or the bare canvas. Without its texture a surface is
    plain; without its colour it is grey, as light as before (black and white: in a middle grey). The mark is left to
    `render`. Errors: as `check_omission`.
    """
    check_omission(word)
    kind = kind_of(word)
    if kind == "object":
        number = OBJECTS.index(word) + 1
        return lambda paint: None if paint.object == number else paint
    if kind == "part":
        part = part_number(word)
        return lambda paint: None if paint.part == part else paint
    if kind == "texture":
        return lambda paint: _plain(paint) if paint.texture and paint.texture.name == word else paint
    if kind == "colour":
        return lambda paint: _grey(paint, word)
    if kind == "scene" and word == scene:
        return lambda paint: None if paint.part and not paint.object else paint
    return lambda paint: paint


def _plain(paint: Paint) -> Paint:
    return replace(paint, texture=None)


def _grey(paint: Paint, colour: str) -> Paint:
    if paint.bottom is not None:
        return replace(paint, greyed=paint.greyed | {colour})
    if paint.colour.name != colour:
        return paint
    grey = paint.colour.grey()
    return replace(paint, colour=grey, texture=paint.texture and replace(paint.texture, second=grey.partner()))
