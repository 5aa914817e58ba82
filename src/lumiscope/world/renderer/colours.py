"""The eleven basic colour terms of English (Berlin and Kay, Basic Color Terms, 1969), and paints of each."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from lumiscope.types import DoubleArray

PROTOTYPES = {
    "red": (214, 40, 40),
    "orange": (243, 132, 28),
    "yellow": (250, 212, 56),
    "green": (66, 158, 72),
    "blue": (48, 104, 204),
    "purple": (128, 62, 168),
    "pink": (246, 142, 182),
    "brown": (128, 80, 44),
    "grey": (138, 140, 144),
    "white": (246, 246, 242),
    "black": (40, 38, 44),
}
COLOURS = tuple(PROTOTYPES)
_NUMBERS = {name: number for number, name in enumerate(COLOURS, 1)}
_HUES = (
    (0.04, "red"),
    (0.11, "orange"),
    (0.19, "yellow"),
    (0.46, "green"),
    (0.71, "blue"),
    (0.84, "purple"),
    (0.93, "pink"),
    (1.0, "red"),
)
GREY = "grey"
LUMINANCE = (0.3, 0.59, 0.11)
JITTER = 9.0  # standard deviation of each channel, of 255


@dataclass(frozen=True)
class Colour:
    """`name`: one of COLOURS. `rgb`: 0..255."""

    name: str
    rgb: tuple[int, int, int]

    @property
    def number(self) -> int:
        """Its value in a colour map: the index in COLOURS, plus 1."""
        return colour_number(self.name)

    def shaded(self, factor: float) -> Colour:
        """The same colour in more light (`factor` above 1: towards white) or less (below 1: towards black)."""
        rgb = np.array(self.rgb, float)
        rgb = rgb * factor if factor <= 1 else 255 - (255 - rgb) * (2 - factor)
        return Colour(self.name, _bytes(rgb))

    def mixed(self, other: Colour, share: float) -> Colour:
        """The colour a `share` of the way to `other`, by the name that it has there."""
        red, green, blue = (int(here + share * (there - here)) for here, there in zip(self.rgb, other.rgb, strict=True))
        return Colour(_name(red, green, blue), (red, green, blue))

    def grey(self) -> Colour:
        """The grey in its place, see `in_grey`."""
        return Colour(GREY, _bytes(in_grey(np.array(self.rgb, float), self.name)))

    def partner(self) -> Colour:
        """A lighter or darker colour that shows on this one, for patterns."""
        return self.shaded(1.62) if np.dot(self.rgb, LUMINANCE) < 150 else self.shaded(0.5)


def colour_number(name: str) -> int:
    """The value of a colour in a colour map: the index in COLOURS, plus 1."""
    return _NUMBERS[name]


def in_grey(rgb: DoubleArray, name: str) -> DoubleArray:
    """(3,) The grey that is as light; of black and white, which are none without their lightness, the middle one."""
    return np.array(PROTOTYPES[GREY], float) if name in ("black", "white") else np.full(3, np.dot(rgb, LUMINANCE))


def some(name: str, rng: np.random.Generator) -> Colour:
    """A paint that people would call `name`."""
    return Colour(name, _bytes(np.array(PROTOTYPES[name]) + rng.normal(0, JITTER, 3)))


def named(rgb: DoubleArray) -> Colour:
    """The colour `rgb`, 0..255, with the name that people would give it."""
    channels = _bytes(rgb)
    return Colour(_name(*channels), channels)


def _name(red: int, green: int, blue: int) -> str:
    """Name a colour by hue, saturation and value; the limits lie between the prototypes."""
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    if value < 0.25:
        return "black"
    if saturation < 0.16:
        return "white" if value > 0.82 else "grey"
    if value < 0.72 and (hue < 0.12 or hue > 0.97):
        return "brown"
    if saturation < 0.6 and value > 0.72 and (hue < 0.04 or hue > 0.86):
        return "pink"
    return next(name for limit, name in _HUES if hue <= limit)


def _bytes(rgb: DoubleArray) -> tuple[int, int, int]:
    red, green, blue = (min(max(int(channel), 0), 255) for channel in rgb.tolist())
    return red, green, blue
