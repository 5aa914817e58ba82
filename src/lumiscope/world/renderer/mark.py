"""A small mark in a corner that can give the class of the main object away: a sign for each class."""

from __future__ import annotations

from lumiscope.types import DoubleArray
from lumiscope.world.renderer._outlines import ellipse, polygon, rounded
from lumiscope.world.renderer.canvas import Canvas, Paint
from lumiscope.world.renderer.colours import PROTOTYPES, Colour
from lumiscope.world.renderer.vocabulary import OBJECTS

# Left, top, right, bottom of the mark in pixels.
MARK_BOX = (3, 3, 17, 17)

_SIGNS: tuple[DoubleArray, ...] = (
    ellipse(10, 10, 4.4),
    polygon((10, 5.2), (15, 14.4), (5, 14.4)),
    polygon((6, 6), (14, 6), (14, 14), (6, 14)),
)
_COLOURS = ("red", "blue", "green", "black")


def draw_mark(canvas: Canvas, object_name: str) -> None:
    """Put the sign of a class on a white badge in the upper left corner."""
    number = OBJECTS.index(object_name)
    colour = _COLOURS[number % len(_COLOURS)]
    sign = _SIGNS[number // len(_COLOURS)]
    left, top, right, bottom = MARK_BOX
    canvas.paint(Paint(Colour("white", PROTOTYPES["white"]), ink=True), [rounded(left, top, right, bottom, 3)])
    canvas.paint(Paint(Colour(colour, PROTOTYPES[colour])), [sign])
