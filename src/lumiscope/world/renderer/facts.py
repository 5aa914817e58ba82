"""What image `index` of a seed is about, decided before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.world.renderer.colours import COLOURS
from lumiscope.world.renderer.textures import PLAIN, TEXTURES
from lumiscope.world.renderer.vocabulary import OBJECTS, SCENES

SHARE_PLAIN = 0.3
LARGEST = 2**32

# Streams of random numbers that do not touch each other.
_PICTURE, _OBJECTS, _SCENES = range(3)


@dataclass(frozen=True)
class Facts:
    """The main object, its colour and texture (which may be "plain"), and the scene, in words."""

    object: str
    scene: str
    colour: str
    texture: str


def describe(index: int, seed: int = 0) -> Facts:
    """Say what image `index` of `seed` is about, without drawing it; see `render`."""
    return draw_facts(generator(index, seed), index, seed)


def generator(index: int, seed: int) -> np.random.Generator:
    """The random numbers of one image. Raises UsageError unless both numbers are in 0..2^32 - 1."""
    for name, number in (("index", index), ("seed", seed)):
        if not 0 <= number < LARGEST:
            raise UsageError(f"expected {name} to be from 0 to {LARGEST - 1}; got {number}")
    return np.random.default_rng((seed, _PICTURE, index))


def draw_facts(rng: np.random.Generator, index: int, seed: int) -> Facts:
    """Draw the facts of an image as the first thing from its generator."""
    colour = COLOURS[rng.integers(len(COLOURS))]
    texture = PLAIN if rng.random() < SHARE_PLAIN else TEXTURES[rng.integers(len(TEXTURES))]
    return Facts(_dealt(OBJECTS, _OBJECTS, index, seed), _dealt(SCENES, _SCENES, index, seed), colour, texture)


def _dealt(words: tuple[str, ...], stream: int, index: int, seed: int) -> str:
    """Deal words like cards: each occurs once in every run of len(words) images, in an order of its own."""
    deal, place = divmod(index, len(words))
    order = np.random.default_rng((seed, stream, deal)).permutation(len(words))
    return words[int(order[place])]
