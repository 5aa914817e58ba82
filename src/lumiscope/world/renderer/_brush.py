"""What the backdrops are painted with, and their registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.types import DoubleArray
from lumiscope.world.renderer.canvas import SIZE, Canvas, Paint
from lumiscope.world.renderer.colours import named

Rgb = tuple[int, int, int]
JITTER = 7.0


@dataclass(frozen=True)
class Brush:
    """Paints the parts of a backdrop, from back to front, in pixels. `parts`: the number of each part name."""

    canvas: Canvas
    parts: Callable[[str], int]
    rng: np.random.Generator

    def fill(self, part: str, rgb: Rgb, *outlines: DoubleArray, bottom: Rgb | None = None) -> None:
        """Paint areas in about the colour `rgb`, turning to `bottom` at their lower end."""
        jitter = self.rng.normal(0, JITTER, 3)
        paint = Paint(named(rgb + jitter), part=self.parts(part), bottom=named(bottom + jitter) if bottom else None)
        self.canvas.paint(paint, outlines)

    def vary(self, low: float, high: float) -> float:
        """A number between `low` and `high`."""
        return float(self.rng.uniform(low, high))

    def count(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < probability)

    def choose(self, *choices: Rgb) -> Rgb:
        """One of these."""
        return choices[self.rng.integers(len(choices))]

    def ridge(self, y: float, height: float, length: float = 90.0) -> DoubleArray:
        """Everything below a rolling line around `y` that rises and falls by `height`, in waves of about `length`."""
        x = np.linspace(-2, SIZE + 2, 33)
        phases = self.rng.uniform(0, 2 * np.pi, 3)
        waves = sum(np.sin(2 * np.pi * x * k / length + p) / k for k, p in zip((1, 2.3, 3.9), phases, strict=True))
        return below(np.stack([x, y - height * waves / 1.6], axis=1))

    def peaks(self, y: float, height: float, number: int) -> list[tuple[float, float, float]]:
        """Places of mountains: x, top and half width."""
        places = (np.arange(number) + self.rng.uniform(0.1, 0.9, number)) * SIZE / number
        heights = height * self.rng.uniform(0.65, 1, number)
        return [(float(x), float(y - h), float(h * self.vary(0.8, 1.2))) for x, h in zip(places, heights, strict=True)]


def below(line: DoubleArray) -> DoubleArray:
    """The area below a line that runs from left to right."""
    return np.concatenate([line, [(line[-1, 0], SIZE + 2.0), (line[0, 0], SIZE + 2.0)]])


Piece = Callable[[Brush, float, float, float], None]
"""Draws something small that stands at (x, y) and is `size` pixels high."""


@dataclass(frozen=True)
class Backdrop:
    """A scene. `phrase`: how a caption says it. `parts`: what it may show. `draw`: paints it, gives the horizon's y.

    `piece`: what stands about in it. `tint`: the colour of its light, 1: white.
    """

    name: str
    phrase: str
    parts: Sequence[str]
    draw: Callable[[Brush], float]
    piece: Piece
    tint: tuple[float, float, float]


BACKDROPS: dict[str, Backdrop] = {}


def backdrop(
    name: str, phrase: str, parts: str, piece: Piece, tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Callable[[Callable[[Brush], float]], Callable[[Brush], float]]:
    """Register a function that paints the scene `name`, whose parts are named in the text `parts`."""

    def register(function: Callable[[Brush], float]) -> Callable[[Brush], float]:
        BACKDROPS[name] = Backdrop(name, phrase, parts.split(), function, piece, tint)
        return function

    return register
