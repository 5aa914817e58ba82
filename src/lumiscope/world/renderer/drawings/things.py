"""House, car, train, boat, plane."""

from __future__ import annotations

from lumiscope.world.renderer._outlines import box, dot, ellipse, line, polygon, rounded, smooth
from lumiscope.world.renderer._pen import Pen, drawing
from lumiscope.world.renderer.colours import Colour

GLASS = Colour("blue", (166, 212, 236))

# fmt: off  (outlines read best as rows of points)


def wheels(pen: Pen, y: float, radius: float, *places: float) -> None:
    """Tyres with hubs."""
    pen.part("wheel", *(ellipse(x, y, radius) for x in places), colour="black")
    pen.part("wheel", *(dot(x, y, radius * 0.5) for x in places), colour="grey")


@drawing("house", "wall roof door window chimney", feet=1.0)
def house(pen: Pen) -> None:
    """A house with a gable."""
    door = pen.vary(-0.45, 0.2)
    eaves = pen.vary(-0.2, 0.0)
    pen.part("chimney", box(0.32, -0.9, 0.56, -0.3), colour="grey")
    pen.part("wall", box(-0.74, eaves - 0.04, 0.74, 1), patterned=True)
    pen.part(
        "roof",
        polygon((-0.98, eaves), (0, -0.98), (0.98, eaves)),
        colour=pen.choose("red", "brown", "grey", "blue", "black"),
    )
    pen.part("door", box(door, 0.36, door + 0.34, 1), colour=pen.choose("brown", "green", "blue", "red"))
    beside = 0.36 if door < -0.1 else -0.6
    pen.part("window", box(beside - 0.04, 0.2, beside + 0.3, 0.56), ellipse(0, eaves - 0.36, 0.15), colour=GLASS)
    pen.part("window", box(beside + 0.115, 0.2, beside + 0.145, 0.56), colour="white")


@drawing("car", "body window wheel lamp bumper", feet=0.62)
def car(pen: Pen) -> None:
    """A car from the side."""
    high = pen.vary(-0.58, -0.44)
    pen.part("bumper", rounded(-1.04, 0.22, -0.8, 0.36, 0.05), rounded(0.82, 0.22, 1.06, 0.36, 0.05), colour="grey")
    pen.part(
        "body",
        smooth(
            (-0.98, 0.3),
            (-0.98, -0.02),
            (-0.72, -0.1),
            (-0.44, high),
            (0.22, high),
            (0.5, -0.1),
            (0.9, -0.02),
            (1, 0.3),
            (0.5, 0.36),
            (-0.5, 0.36),
        ),
        patterned=True,
    )
    pen.part(
        "window",
        polygon((-0.52, -0.1), (-0.36, high + 0.1), (-0.1, high + 0.08), (-0.1, -0.1)),
        polygon((0.0, -0.1), (0.0, high + 0.08), (0.18, high + 0.1), (0.36, -0.1)),
        colour=GLASS,
    )
    pen.part("lamp", ellipse(0.9, 0.08, 0.1), colour="yellow")
    wheels(pen, 0.38, 0.24, -0.52, 0.54)


@drawing("train", "cabin body roof window wheel chimney lamp", feet=0.8)
def train(pen: Pen) -> None:
    """A steam engine."""
    tall = pen.vary(-0.75, -0.55)
    pen.part("chimney", polygon((0.42, -0.1), (0.36, tall), (0.74, tall), (0.68, -0.1)), colour="black")
    pen.part("body", rounded(-0.3, -0.22, 0.92, 0.42, 0.16), patterned=True)
    pen.part("cabin", box(-0.92, -0.66, -0.24, 0.42), colour=pen.colour.shaded(0.85), patterned=True)
    pen.part("roof", rounded(-1.02, -0.82, -0.14, -0.64, 0.07), colour="black")
    pen.part("window", rounded(-0.8, -0.48, -0.38, -0.1, 0.05), colour=GLASS)
    pen.part("lamp", ellipse(0.96, -0.06, 0.11), colour="yellow")
    wheels(pen, 0.5, 0.3, -0.6)
    wheels(pen, 0.6, 0.2, 0.05, 0.55)


@drawing("boat", "hull mast sail flag")
def boat(pen: Pen) -> None:
    """A sailing boat."""
    wide = pen.vary(0.62, 0.8)
    sail = pen.choose("white", "yellow", "orange", "pink")
    pen.part("mast", box(-0.06, -0.98, 0.03, 0.5), colour="brown")
    pen.part("flag", polygon((0.03, -0.98), (0.36, -0.87), (0.03, -0.76)), colour=pen.choose("red", "blue", "green"))
    pen.part(
        "sail",
        polygon((0.07, -0.72), (wide, 0.28), (0.07, 0.28)),
        polygon((-0.1, -0.62), (-0.1, 0.28), (-0.6, 0.28)),
        colour=sail,
    )
    pen.part(
        "hull",
        smooth(
            (-0.98, 0.36), (-0.5, 0.42), (0.5, 0.42), (1, 0.34), (0.72, 0.84), (0.3, 0.96), (-0.4, 0.96), (-0.76, 0.8)
        ),
        patterned=True,
    )


@drawing("plane", "body wing window tail propeller")
def plane(pen: Pen) -> None:
    """A propeller plane from the side."""
    dark = pen.colour.shaded(0.78)
    pen.part("wing", polygon((0.18, -0.06), (-0.16, -0.6), (-0.36, -0.6), (-0.16, -0.06)), colour=dark)
    pen.part("tail", polygon((-0.66, -0.04), (-1, -0.58), (-0.76, -0.58), (-0.36, -0.1)), colour=dark)
    pen.part("propeller", ellipse(1.0, -0.27, 0.05, 0.25), ellipse(1.0, 0.23, 0.05, 0.25), colour="grey")
    pen.part(
        "body",
        smooth(
            (0.98, -0.02), (0.7, -0.24), (0, -0.28), (-0.7, -0.16), (-0.98, -0.12), (-0.7, 0.12), (0, 0.24), (0.7, 0.2)
        ),
        patterned=True,
    )
    pen.part("tail", smooth((-0.6, 0.0), (-1.02, 0.12), (-1.0, 0.22), (-0.56, 0.1)), colour=dark)
    pen.part(
        "window",
        *(ellipse(x, -0.09, 0.08, 0.075) for x in (-0.3, -0.06, 0.18)),
        smooth((0.52, -0.2), (0.72, -0.17), (0.8, -0.06), (0.54, -0.04)),
        colour=GLASS,
    )
    length = pen.vary(0.5, 0.66)
    pen.part("wing", polygon((0.3, 0.06), (-0.22, length), (-0.46, length), (-0.16, 0.06)), colour=dark)
    pen.part("propeller", line([(0.98, -0.02), (1.06, -0.02)], 0.12), colour="black")
