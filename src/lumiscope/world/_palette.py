"""Colours for label maps, so that they can be looked at."""

from __future__ import annotations

import colorsys

from lumiscope.world import WORDS
from lumiscope.world.renderer.colours import PROTOTYPES

GOLDEN = 0.61803398875  # steps of this share of the circle keep neighbours far apart, however many there are


def label_palette(kind: str) -> list[int]:
    """256 × RGB: black for 0 (nothing), for word k of `kind` entry k: a colour's own, else one of many hues."""
    entries = [(0, 0, 0), *(PROTOTYPES[word] if kind == "colour" else _hue(k) for k, word in enumerate(WORDS[kind]))]
    return [value for entry in entries for value in entry] + [0] * 3 * (256 - len(entries))


def _hue(number: int) -> tuple[int, int, int]:
    brightness = (0.95, 0.7)[number % 2]
    red, green, blue = colorsys.hsv_to_rgb(number * GOLDEN % 1, 0.65, brightness)
    return round(255 * red), round(255 * green), round(255 * blue)
