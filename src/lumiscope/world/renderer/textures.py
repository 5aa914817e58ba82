"""Six surface patterns, named as in the Describable Textures Dataset (Cimpoi et al., CVPR 2014)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lumiscope.types import DoubleArray
from lumiscope.world.renderer.colours import Colour

Pattern = Callable[[DoubleArray, DoubleArray], DoubleArray]
PATTERNS: dict[str, Pattern] = {}


def _pattern(name: str) -> Callable[[Pattern], Pattern]:
    def register(function: Pattern) -> Pattern:
        PATTERNS[name] = function
        return function

    return register


@_pattern("striped")
def _striped(u: DoubleArray, v: DoubleArray) -> DoubleArray:
    return _edge(_wave(u))


@_pattern("dotted")
def _dotted(u: DoubleArray, v: DoubleArray) -> DoubleArray:
    return _edge(0.32 - np.hypot(_saw(u), _saw(v)))


@_pattern("chequered")
def _chequered(u: DoubleArray, v: DoubleArray) -> DoubleArray:
    return _edge(4 * _wave(u / 1.4) * _wave(v / 1.4))


@_pattern("zigzagged")
def _zigzagged(u: DoubleArray, v: DoubleArray) -> DoubleArray:
    return _edge(_wave(u + 0.9 * np.abs(_saw(v / 1.6))))


@_pattern("grid")
def _grid(u: DoubleArray, v: DoubleArray) -> DoubleArray:
    return _edge(0.13 - np.minimum(np.abs(_saw(u)), np.abs(_saw(v))))


@_pattern("flecked")
def _flecked(u: DoubleArray, v: DoubleArray) -> DoubleArray:
    shifted = np.sin(1.9 * u + 2.3 * np.sin(2.9 * v)) + np.sin(3.1 * v + 1.7 * np.sin(2.3 * u + 1))
    return _edge(0.3 * (shifted - 0.85))


TEXTURES = tuple(PATTERNS)
PLAIN = "plain"
SHARPNESS = 5.0  # of an edge, a unit being one period


@dataclass(frozen=True)
class Texture:
    """A pattern fixed to a surface.

    `name`: one of TEXTURES. `second`: the colour it adds. `period`: in pixels. `angle`: in radians.
    `x`, `y`: its origin in pixels.
    """

    name: str
    second: Colour
    period: float
    angle: float
    x: float
    y: float

    @property
    def number(self) -> int:
        """Its value in a texture map: the index in TEXTURES, plus 1."""
        return TEXTURES.index(self.name) + 1

    def amount(self, x: DoubleArray, y: DoubleArray) -> DoubleArray:
        """How much of the second colour is at these pixels, in [0, 1]."""
        cosine, sine = np.cos(self.angle) / self.period, np.sin(self.angle) / self.period
        u = (x - self.x) * cosine + (y - self.y) * sine
        v = (y - self.y) * cosine - (x - self.x) * sine
        return PATTERNS[self.name](u, v)


def _wave(u: DoubleArray) -> DoubleArray:
    """Steep where it is zero, of period 1."""
    return np.sin(2 * np.pi * u) / 4


def _saw(u: DoubleArray) -> DoubleArray:
    """Distance to the nearest whole number, signed."""
    return u - np.round(u)


def _edge(distance: DoubleArray) -> DoubleArray:
    return np.clip(0.5 + SHARPNESS * distance, 0, 1)
