"""City, underwater, night, room."""

from __future__ import annotations

import numpy as np

from lumiscope.world.renderer._brush import Brush, backdrop
from lumiscope.world.renderer._outlines import box, dot, ellipse, line, polygon, rounded, smooth
from lumiscope.world.renderer.canvas import SIZE
from lumiscope.world.renderer.drawings.outdoors import EVERYWHERE

# fmt: off  (outlines read best as rows of points)


def _cone(brush: Brush, x: float, y: float, size: float) -> None:
    brush.fill(
        "cone",
        (240, 120, 40),
        polygon((x - size * 0.4, y), (x - size * 0.08, y - size), (x + size * 0.08, y - size), (x + size * 0.4, y)),
    )
    brush.fill(
        "cone",
        (250, 250, 246),
        polygon(
            (x - size * 0.27, y - size * 0.4),
            (x - size * 0.18, y - size * 0.65),
            (x + size * 0.18, y - size * 0.65),
            (x + size * 0.27, y - size * 0.4),
        ),
    )


@backdrop("city", "in a city", "sky building window pavement road cone", _cone)
def city(brush: Brush) -> float:
    """Tall buildings with many windows along a road."""
    brush.fill(
        "sky", brush.choose((168, 200, 226), (206, 210, 218), (244, 204, 170)), EVERYWHERE, bottom=(232, 232, 232)
    )
    horizon = brush.vary(76, 90)
    for rgbs, tallest, step in (
        (((168, 178, 196),), 62, 22),
        (((150, 120, 112), (176, 150, 126), (120, 128, 146), (140, 136, 132)), 50, 30),
    ):
        x = brush.vary(-14, 0)
        while x < SIZE:
            width, top = step * brush.vary(0.7, 1.1), horizon - tallest * brush.vary(0.5, 1)
            brush.fill("building", brush.choose(*rgbs), box(x, top, x + width, horizon + 4))
            if step == 30:
                panes = [
                    box(at, y, at + 3.2, y + 4.4)
                    for at in np.arange(x + 3, x + width - 4, 6.4)
                    for y in np.arange(top + 4, horizon - 4, 8.5)
                ]
                brush.fill("window", brush.choose((250, 236, 170), (200, 224, 240)), *panes)
            x += width + brush.vary(0, 3)
    brush.fill("pavement", (190, 188, 184), box(0, horizon, SIZE, SIZE), bottom=(176, 174, 170))
    kerb = horizon + brush.vary(5, 10)
    brush.fill("road", (96, 98, 104), box(0, kerb, SIZE, SIZE), bottom=(78, 80, 86))
    middle = (kerb + SIZE) / 2
    start = brush.vary(-20, 0)
    brush.fill(
        "road", (236, 232, 220), *(box(at, middle - 1.2, at + 14, middle + 1.2) for at in np.arange(start, SIZE, 28))
    )
    return horizon + 6


def _seaweed(brush: Brush, x: float, y: float, size: float) -> None:
    for shift in (-3, 1, 4):
        sway = brush.vary(1.5, 3)
        heights = np.linspace(0, size * brush.vary(0.7, 1.1), 6)
        brush.fill(
            "seaweed", (48, 138, 96), line([(x + shift + sway * np.sin(h / 4 + shift), y - h) for h in heights], 2.2)
        )


@backdrop("underwater", "underwater", "water ray rock seaweed coral bubble sand", _seaweed, (0.84, 0.97, 1.06))
def underwater(brush: Brush) -> float:
    """The bottom of the sea, with rays of light, corals and bubbles."""
    brush.fill("water", brush.choose((80, 186, 222), (52, 158, 204), (84, 196, 200)), EVERYWHERE, bottom=(20, 74, 140))
    for _ in range(brush.count(1, 3)):
        x, width = brush.vary(0, SIZE), brush.vary(5, 12)
        brush.fill(
            "ray",
            (142, 214, 234),
            polygon((x, -2), (x + width, -2), (x + width * 0.4 - 22, 96), (x - 34, 96)),
            bottom=(40, 104, 166),
        )
    horizon = brush.vary(84, 98)
    brush.fill("rock", (44, 84, 128), brush.ridge(horizon - 14, 12, 70), bottom=(34, 66, 104))
    for _ in range(brush.count(1, 4)):
        x, size = brush.vary(4, 124), brush.vary(7, 15)
        stems = [
            line(
                [
                    (x, horizon + 4),
                    (x + d * size * 0.4, horizon - size * 0.6),
                    (x + d * size * 0.7, horizon - size * 1.3),
                ],
                3,
            )
            for d in (-1, -0.2, 0.8)
        ]
        brush.fill("coral", brush.choose((236, 110, 120), (246, 150, 90), (190, 100, 190)), *stems)
    brush.fill("sand", (206, 198, 158), brush.ridge(horizon, 4, 80), bottom=(150, 160, 146))
    for _ in range(brush.count(1, 3)):
        _seaweed(brush, brush.vary(2, 126), horizon + brush.vary(2, 12), brush.vary(14, 34))
    bubbles = brush.rng.uniform((0, 4), (SIZE, 84), (brush.count(5, 14), 2))
    brush.fill("bubble", (190, 232, 246), *(dot(x, y, brush.vary(0.9, 2.8)) for x, y in bubbles.tolist()))
    return horizon + 3


def _bush(brush: Brush, x: float, y: float, size: float) -> None:
    brush.fill(
        "bush",
        (28, 52, 60),
        *(ellipse(x + d * size * 0.5, y - size * (0.35 - 0.15 * abs(d)), size * 0.5, size * 0.45) for d in (-1, 0, 1)),
    )


@backdrop("night", "at night", "sky star moon hill bush", _bush, (0.74, 0.78, 0.98))
def night(brush: Brush) -> float:
    """Stars and a moon over dark hills."""
    brush.fill("sky", brush.choose((16, 20, 56), (26, 18, 60), (10, 26, 58)), EVERYWHERE, bottom=(66, 66, 128))
    stars = brush.rng.uniform((0, 0), (SIZE, 80), (brush.count(18, 40), 2))
    brush.fill("star", (254, 248, 206), *(dot(x, y, brush.vary(0.5, 1.4)) for x, y in stars.tolist()))
    if brush.chance(0.85):
        x, y, size = brush.vary(12, 116), brush.vary(12, 34), brush.vary(7, 11)
        curve = np.linspace(-2.2, 2.2, 14)
        outer = [(x + size * np.cos(a), y + size * np.sin(a)) for a in curve]
        inner = [(x - size * 0.45 + size * 0.85 * np.cos(a), y + size * 0.95 * np.sin(a)) for a in curve[::-1] * 0.95]
        brush.fill("moon", (250, 240, 190), ellipse(x, y, size) if brush.chance(0.5) else polygon(*outer, *inner))
    horizon = brush.vary(70, 92)
    brush.fill("hill", (38, 44, 88), brush.ridge(horizon - 10, 8), bottom=(34, 42, 80))
    brush.fill("hill", (28, 40, 66), brush.ridge(horizon, 5), bottom=(20, 30, 46))
    return horizon + 4


def _cushion(brush: Brush, x: float, y: float, size: float) -> None:
    if brush.chance(0.5):
        brush.fill(
            "ball",
            brush.choose((230, 80, 80), (80, 130, 220), (250, 200, 70)),
            ellipse(x, y - size * 0.45, size * 0.45),
        )
    else:
        brush.fill(
            "cube",
            brush.choose((226, 168, 96), (128, 180, 140), (196, 130, 180)),
            box(x - size * 0.4, y - size * 0.8, x + size * 0.4, y),
        )


@backdrop("room", "in a room", "wallpaper floor curtain pane frame rug ball cube", _cushion, (1.04, 1.0, 0.94))
def room(brush: Brush) -> float:
    """A nursery: wallpaper, a window with curtains or a picture, a rug."""
    paper = brush.choose((236, 214, 190), (206, 222, 206), (222, 206, 226), (244, 232, 196), (196, 214, 228))
    brush.fill("wallpaper", paper, EVERYWHERE)
    darker = tuple(int(channel * 0.94) for channel in paper)
    start, step = brush.vary(0, 10), brush.vary(12, 20)
    brush.fill(
        "wallpaper",
        (darker[0], darker[1], darker[2]),
        *(box(x, 0, x + step / 2, SIZE) for x in np.arange(start, SIZE, step)),
    )
    horizon = brush.vary(78, 94)
    x = brush.vary(6, 70)
    if brush.chance(0.6):
        brush.fill("frame", (250, 248, 242), box(x, 12, x + 44, 60))
        brush.fill(
            "pane", (160, 208, 238), box(x + 3, 15, x + 20.5, 57), box(x + 23.5, 15, x + 41, 57), bottom=(214, 236, 246)
        )
        cloth = brush.choose((206, 84, 84), (92, 132, 190), (214, 160, 80))
        brush.fill(
            "curtain",
            cloth,
            polygon((x - 7, 8), (x + 12, 8), (x + 1, 66), (x - 7, 66)),
            polygon((x + 51, 8), (x + 32, 8), (x + 43, 66), (x + 51, 66)),
        )
    else:
        brush.fill("frame", (140, 96, 56), box(x, 16, x + 38, 50))
        brush.fill("pane", brush.choose((236, 226, 200), (180, 210, 190)), box(x + 4, 20, x + 34, 46))
        brush.fill("frame", (150, 110, 90), smooth((x + 8, 42), (x + 16, 28), (x + 24, 36), (x + 30, 42)))
    brush.fill("floor", (186, 136, 88), box(0, horizon, SIZE, SIZE), bottom=(156, 106, 64))
    boards = [
        line([(SIZE / 2 + (at - SIZE / 2) * 0.8, horizon), (SIZE / 2 + (at - SIZE / 2) * 1.7, SIZE + 2.0)], 0.8)
        for at in np.arange(-8, SIZE + 8, 18)
    ]
    brush.fill("floor", (142, 98, 60), *boards)
    brush.fill(
        "rug",
        brush.choose((190, 90, 96), (96, 122, 168), (116, 150, 120)),
        ellipse(brush.vary(40, 88), horizon + 22, brush.vary(34, 50), 11),
    )
    brush.fill("frame", (244, 240, 232), box(0, horizon - 3, SIZE, horizon))
    if brush.chance(0.3):
        brush.fill("cube", (206, 150, 90), rounded(100, horizon - 14, 124, horizon + 8, 2))
    return horizon + 5
