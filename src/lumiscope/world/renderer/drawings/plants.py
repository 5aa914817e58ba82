"""Flower, tree, mushroom."""

from __future__ import annotations

import numpy as np

from lumiscope.world.renderer._outlines import ellipse, line, polygon, rounded, smooth, turned
from lumiscope.world.renderer._pen import Pen, drawing

# fmt: off  (outlines read best as rows of points)


@drawing("flower", "stem leaf petal centre", feet=1.0)
def flower(pen: Pen) -> None:
    """A daisy or a tulip's cousin: round petals around a centre."""
    bend, count = pen.vary(-0.12, 0.12), int(pen.vary(5, 9))
    pen.part("stem", line([(0, -0.3), (bend, 0.3), (0, 1)], 0.1), colour="green")
    pen.part(
        "leaf",
        smooth((0.02, 0.72), (0.3, 0.36), (0.62, 0.38), (0.34, 0.7)),
        smooth((-0.02, 0.86), (-0.3, 0.5), (-0.6, 0.54), (-0.34, 0.84)),
        colour="green",
    )
    around = np.linspace(0, 360, count, endpoint=False)
    petals = [turned(ellipse(0.36, 0, 0.3, 1.12 / count), angle, 0, -0.38) for angle in around]
    pen.part("petal", *petals[::2], patterned=True)
    pen.part("petal", *petals[1::2], colour=pen.colour.shaded(0.88), patterned=True)
    pen.part("centre", ellipse(0, -0.38, 0.2), colour="brown" if pen.colour.name == "yellow" else "yellow")


@drawing("tree", "trunk crown leaf", feet=1.0)
def tree(pen: Pen) -> None:
    """A round tree with big leaves in its crown."""
    pen.part(
        "trunk",
        polygon((-0.13, 0), (0.13, 0), (0.17, 0.75), (0.32, 1), (-0.32, 1), (-0.17, 0.75)),
        line([(0.0, 0.35), (0.34, 0.02)], 0.1),
        colour="brown",
    )
    rim = [
        (0.74, -0.15),
        (0.5, 0.22),
        (0.1, 0.18),
        (-0.3, 0.26),
        (-0.7, 0.04),
        (-0.74, -0.44),
        (-0.42, -0.8),
        (0.05, -0.97),
        (0.5, -0.82),
        (0.78, -0.5),
    ]
    wobble = pen.rng.uniform(-0.05, 0.05, (len(rim), 2))
    pen.part("crown", smooth(*(np.array(rim) + wobble).tolist()), patterned=True)
    angles = np.arange(0, 360, 40) + pen.rng.uniform(-14, 14, 9)
    leaves = [
        turned(ellipse(0.52 if k % 2 else 0.32, 0, 0.17, 0.09), angle, 0, -0.36) for k, angle in enumerate(angles)
    ]
    pen.part("leaf", *leaves, colour=pen.colour.shaded(0.72))


@drawing("mushroom", "stem cap gill", feet=1.0)
def mushroom(pen: Pen) -> None:
    """A toadstool."""
    high = pen.vary(-0.95, -0.75)
    pen.part(
        "stem", smooth((-0.18, 0), (0.18, 0), (0.22, 0.6), (0.34, 0.96), (-0.34, 0.96), (-0.22, 0.6)), colour="white"
    )
    pen.part("gill", ellipse(0, 0.1, 0.8, 0.17), colour="pink")
    pen.part(
        "cap",
        smooth(
            (-0.95, 0.1), (-0.8, -0.42), (-0.3, high), (0.3, high), (0.8, -0.42), (0.95, 0.1), (0.5, 0.02), (-0.5, 0.02)
        ),
        patterned=True,
    )
    pen.part("stem", rounded(-0.26, 0.3, 0.26, 0.4, 0.05), colour="white")
