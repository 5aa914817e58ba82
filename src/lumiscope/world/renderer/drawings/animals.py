"""Fish, bird, cat, butterfly. All look to the right."""

from __future__ import annotations

from lumiscope.world.renderer._outlines import dot, ellipse, line, polygon, smooth
from lumiscope.world.renderer._pen import Pen, drawing

# fmt: off  (outlines read best as rows of points)


@drawing("fish", "tail fin body eye mouth")
def fish(pen: Pen) -> None:
    """A round fish with a forked tail."""
    deep = pen.vary(0.44, 0.58)
    pen.part("tail", smooth((-0.5, 0), (-1, -0.5), (-0.86, 0), (-1, 0.5)), colour=pen.colour.shaded(0.8))
    pen.part(
        "fin",
        smooth((-0.35, -deep * 0.7), (-0.2, -deep - 0.28), (0.3, -deep - 0.12), (0.3, -deep * 0.7)),
        smooth((-0.1, deep * 0.75), (-0.25, deep + 0.22), (0.12, deep + 0.1), (0.2, deep * 0.75)),
        colour=pen.colour.shaded(0.8),
    )
    pen.part(
        "body",
        smooth(
            (0.95, 0.02), (0.5, -deep * 0.86), (-0.1, -deep * 0.9), (-0.65, 0), (-0.1, deep * 0.9), (0.5, deep * 0.86)
        ),
        patterned=True,
    )
    pen.part("fin", smooth((0.1, 0.04), (-0.26, 0.04), (-0.3, 0.3), (-0.02, 0.24)), colour=pen.colour.shaded(0.8))
    pen.part("eye", ellipse(0.55, -0.14, 0.13), colour="white")
    pen.part("eye", dot(0.58, -0.13, 0.065), colour="black")
    pen.part("mouth", line([(0.93, 0.1), (0.8, 0.17), (0.68, 0.16)], 0.05), colour="black")


@drawing("bird", "tail leg body wing head beak eye")
def bird(pen: Pen) -> None:
    """A small songbird."""
    lift = pen.vary(-0.3, 0.25)
    pen.part(
        "leg",
        line([(0.0, 0.4), (-0.02, 0.92), (0.14, 0.95)], 0.07),
        line([(0.2, 0.38), (0.2, 0.92), (0.36, 0.95)], 0.07),
        colour="orange",
    )
    pen.part(
        "tail",
        polygon((-0.45, -0.05), (-1, -0.2), (-0.98, 0.08), (-0.9, 0.25), (-0.4, 0.25)),
        colour=pen.colour.shaded(0.75),
    )
    pen.part(
        "body",
        smooth((0.62, -0.2), (0.2, -0.36), (-0.35, -0.15), (-0.62, 0.1), (-0.2, 0.5), (0.3, 0.48), (0.62, 0.2)),
        patterned=True,
    )
    pen.part("head", ellipse(0.5, -0.46, 0.34))
    pen.part("beak", polygon((0.78, -0.56), (1.08, -0.42), (0.78, -0.3)), colour="orange")
    pen.part("eye", ellipse(0.58, -0.52, 0.1), colour="white")
    pen.part("eye", dot(0.61, -0.51, 0.055), colour="black")
    pen.part(
        "wing",
        smooth((0.25, -0.02), (-0.1, -0.16), (-0.7, lift - 0.1), (-0.62, lift + 0.16), (-0.2, 0.32), (0.18, 0.24)),
        colour=pen.colour.shaded(0.75),
    )


@drawing("cat", "tail leg body head ear eye nose whisker", feet=1.0)
def cat(pen: Pen) -> None:
    """A cat, standing."""
    curl = pen.vary(-0.2, 0.15)
    dark = pen.colour.shaded(0.8)
    pen.part(
        "tail",
        line([(-0.58, 0.2), (-0.82, 0.05), (-0.94, -0.3), (-0.84 + curl, -0.62), (-0.7 + curl, -0.7)], 0.15),
        colour=dark,
    )
    pen.part("leg", line([(-0.42, 0.3), (-0.42, 0.96)], 0.2), line([(0.34, 0.3), (0.34, 0.96)], 0.2), colour=dark)
    pen.part("leg", line([(-0.58, 0.3), (-0.6, 0.98)], 0.2), line([(0.16, 0.3), (0.14, 0.98)], 0.2))
    pen.part(
        "body",
        smooth((0.42, -0.02), (0, -0.1), (-0.5, -0.06), (-0.72, 0.2), (-0.6, 0.55), (0, 0.6), (0.4, 0.5)),
        patterned=True,
    )
    pen.part(
        "ear",
        polygon((0.14, -0.5), (0.12, -0.98), (0.46, -0.68)),
        polygon((0.9, -0.5), (0.94, -0.98), (0.58, -0.68)),
        colour=dark,
    )
    pen.part("head", ellipse(0.52, -0.32, 0.45, 0.4))
    pen.part(
        "eye",
        ellipse(0.36, -0.38, 0.1, 0.12),
        ellipse(0.68, -0.38, 0.1, 0.12),
        colour=pen.choose("yellow", "green", "white"),
    )
    pen.part("eye", ellipse(0.37, -0.37, 0.04, 0.09), ellipse(0.69, -0.37, 0.04, 0.09), colour="black")
    pen.part("nose", polygon((0.46, -0.22), (0.58, -0.22), (0.52, -0.13)), colour="pink")
    whiskers = [
        ((0.4, -0.14), (-0.02, -0.2)),
        ((0.4, -0.1), (0, 0)),
        ((0.64, -0.14), (1.06, -0.2)),
        ((0.64, -0.1), (1.04, 0)),
    ]
    pen.part("whisker", *(line(ends, 0.035) for ends in whiskers), colour="black")


@drawing("butterfly", "wing body head antenna")
def butterfly(pen: Pen) -> None:
    """A butterfly from above."""
    wide = pen.vary(0.85, 1.0)
    for side in (-1, 1):
        pen.part(
            "wing",
            smooth(
                (side * 0.06, 0.02),
                (side * 0.5 * wide, 0.06),
                (side * 0.82 * wide, 0.4),
                (side * 0.55 * wide, 0.85),
                (side * 0.14, 0.5),
            ),
            colour=pen.colour.shaded(0.75),
            patterned=True,
        )
        pen.part(
            "wing",
            smooth(
                (side * 0.06, -0.2),
                (side * 0.45 * wide, -0.85),
                (side * wide, -0.8),
                (side * 0.9 * wide, -0.1),
                (side * 0.4, 0.12),
            ),
            patterned=True,
        )
    antennae = [line([(side * 0.03, -0.5), (side * 0.1, -0.75), (side * 0.26, -0.9)], 0.05) for side in (-1, 1)]
    pen.part("antenna", *antennae, colour="black")
    pen.part("body", ellipse(0, 0.1, 0.1, 0.52), colour="brown")
    pen.part("head", ellipse(0, -0.44, 0.14), colour="brown")
