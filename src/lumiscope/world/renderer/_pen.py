"""What the drawings draw with: parts of one object, in its own coordinates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.types import DoubleArray
from lumiscope.world.renderer._outlines import turned
from lumiscope.world.renderer.canvas import Canvas, Paint
from lumiscope.world.renderer.colours import Colour, some
from lumiscope.world.renderer.textures import PLAIN, Texture


@dataclass(frozen=True)
class Frame:
    """Where an object stands: centre and `radius` in pixels, `angle` in degrees clockwise, `flip`: -1 mirrors it."""

    x: float
    y: float
    radius: float
    angle: float = 0.0
    flip: int = 1

    def place(self, outline: DoubleArray) -> DoubleArray:
        """From the object's coordinates, about -1 to 1, to pixels."""
        return turned(outline * (self.flip * self.radius, self.radius), self.angle, self.x, self.y)


@dataclass(frozen=True)
class Pen:
    """Draws the parts of one object, from back to front.

    `object`: its number in OBJECTS, plus 1. `parts`: the number of each part name. `colour`: the object's colour.
    `texture`: that of its patterned parts. `rng`: for proportions that may vary.
    """

    canvas: Canvas
    frame: Frame
    object: int
    parts: Callable[[str], int]
    colour: Colour
    texture: str
    rng: np.random.Generator
    is_main: bool

    def part(
        self, name: str, *outlines: DoubleArray, colour: Colour | str | None = None, patterned: bool = False
    ) -> None:
        """Draw all pieces of a part; `colour`: None for the object's own. `patterned`: it has the object's texture."""
        paint = colour if isinstance(colour, Colour) else some(colour, self.rng) if colour else self.colour
        self.canvas.paint(
            Paint(
                paint,
                object=self.object,
                part=self.parts(name),
                texture=self._texture(paint) if patterned and self.texture != PLAIN else None,
                is_main=self.is_main,
                ink=True,
            ),
            [self.frame.place(outline) for outline in outlines],
        )

    def vary(self, low: float, high: float) -> float:
        """A number between `low` and `high` that differs from object to object."""
        return float(self.rng.uniform(low, high))

    def choose(self, *names: str) -> str:
        """One of these, different from object to object."""
        return names[self.rng.integers(len(names))]

    def _texture(self, paint: Colour) -> Texture:
        frame = self.frame
        period = np.clip(frame.radius / 4.6, 4.2, 9.0)
        return Texture(self.texture, paint.partner(), float(period), np.radians(frame.angle), frame.x, frame.y)


Drawing = Callable[[Pen], None]


@dataclass(frozen=True)
class Kind:
    """A class of objects. `parts`: what it may show. `feet`: the y of its feet; None: it floats in the air."""

    name: str
    parts: Sequence[str]
    feet: float | None
    draw: Drawing


KINDS: dict[str, Kind] = {}


def drawing(name: str, parts: str, *, feet: float | None = None) -> Callable[[Drawing], Drawing]:
    """Register a function that draws the object `name`, whose parts are named in the text `parts`."""

    def register(function: Drawing) -> Drawing:
        KINDS[name] = Kind(name, parts.split(), feet, function)
        return function

    return register
