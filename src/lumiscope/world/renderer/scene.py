"""One picture of the world with everything that is true of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lumiscope.types import BoolArray, ByteArray


@dataclass(frozen=True)
class Scene:
    """Image `index` of seed `seed`.

    `pixels`: (128, 128, 3) uint8 RGB. `object`, `scene`, `colour`, `texture`: of the main object, in words; a texture
    may be "plain". `labels`: for each kind in WORDS a (128, 128) uint8 map, 0: nothing, k: the word WORDS[kind][k - 1].
    `mask`: (128, 128) bool, where the main object is seen. `caption`: one English sentence without its full stop.
    `mark`: the class that the mark in the corner points to; None: there is no mark. `without`: the words that were left
    out; those of the main object, and the caption but for other objects, are those of the picture with it.
    """

    index: int
    seed: int
    pixels: ByteArray
    object: str
    scene: str
    colour: str
    texture: str
    labels: Mapping[str, ByteArray]
    mask: BoolArray
    caption: str
    mark: str | None = None
    without: tuple[str, ...] = ()
