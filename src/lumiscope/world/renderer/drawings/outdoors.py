"""Meadow, beach, forest, desert, mountains, winter."""

from __future__ import annotations

import numpy as np

from lumiscope.types import DoubleArray
from lumiscope.world.renderer._brush import Brush, Rgb, backdrop
from lumiscope.world.renderer._outlines import box, dot, ellipse, line, polygon, smooth
from lumiscope.world.renderer.canvas import SIZE

EVERYWHERE = box(0, 0, SIZE, SIZE)
DAY: Rgb = (128, 190, 240)
DAWN: Rgb = (246, 190, 160)
PALE: Rgb = (222, 238, 248)

# fmt: off  (outlines read best as rows of points)


def sky(brush: Brush, *tops: Rgb, low: Rgb = PALE) -> None:
    """A sky with a gradient, often a sun, and clouds."""
    brush.fill("sky", brush.choose(*(tops or (DAY, (104, 168, 226), (160, 206, 240), DAWN))), EVERYWHERE, bottom=low)
    if brush.chance(0.5):
        brush.fill("sun", (252, 222, 92), ellipse(brush.vary(10, 118), brush.vary(8, 34), brush.vary(6, 11)))
    for _ in range(brush.count(0, 3)):
        cloud(brush, brush.vary(0, SIZE), brush.vary(6, 40), brush.vary(7, 15))


def cloud(brush: Brush, x: float, y: float, size: float) -> None:
    """A heap of puffs."""
    puffs = [(-0.9, 0.1, 0.5), (-0.3, -0.2, 0.65), (0.45, -0.1, 0.55), (1.0, 0.15, 0.4), (0.1, 0.2, 0.7)]
    brush.fill(
        "cloud",
        (250, 250, 250),
        *(ellipse(x + dx * size, y + dy * size, w * size, w * size * 0.7) for dx, dy, w in puffs),
    )


def _tuft(brush: Brush, x: float, y: float, size: float) -> None:
    blades = [
        polygon((x + d - 1.2, y), (x + d * 1.9 + brush.vary(-1, 1), y - size * brush.vary(0.6, 1)), (x + d + 1.2, y))
        for d in (-3.5, -1.2, 1.2, 3.5)
    ]
    brush.fill("grass", (58, 132, 52), *blades)
    if brush.chance(0.5):
        brush.fill(
            "blossom",
            brush.choose((240, 96, 120), (250, 240, 120), (250, 250, 250)),
            dot(x, y - size, 2.2),
            dot(x + 4, y - size * 0.7, 1.8),
        )


@backdrop("meadow", "in a meadow", "sky sun cloud hill grass blossom", _tuft)
def meadow(brush: Brush) -> float:
    """Rolling green hills under a wide sky."""
    sky(brush)
    horizon = brush.vary(52, 78)
    brush.fill("hill", (132, 186, 128), brush.ridge(horizon - 10, 9), bottom=(120, 176, 110))
    brush.fill("hill", (112, 178, 96), brush.ridge(horizon - 2, 6), bottom=(100, 160, 80))
    brush.fill("grass", (132, 200, 84), brush.ridge(horizon + 7, 3), bottom=(84, 156, 60))
    return horizon + 7


def _shell(brush: Brush, x: float, y: float, size: float) -> None:
    if brush.chance(0.5):
        star = [
            (
                x + (size if k % 2 else size * 0.4) * 0.6 * np.sin(k * np.pi / 5),
                y - size * 0.4 + (size if k % 2 else size * 0.4) * 0.6 * np.cos(k * np.pi / 5),
            )
            for k in range(10)
        ]
        brush.fill("starfish", (240, 140, 90), polygon(*star))
    else:
        brush.fill("stone", (186, 180, 176), ellipse(x, y - size * 0.25, size * 0.55, size * 0.35))


@backdrop("beach", "on a beach", "sky sun cloud sea foam sand starfish stone parasol", _shell)
def beach(brush: Brush) -> float:
    """Sea and sand, and sometimes a parasol."""
    sky(brush, DAY, (92, 176, 236), (250, 204, 160))
    horizon = brush.vary(40, 58)
    shore = horizon + brush.vary(14, 24)
    brush.fill("sea", (42, 128, 190), box(0, horizon, SIZE, SIZE), bottom=(100, 196, 214))
    for y in np.arange(horizon + 4, shore, 5):
        x = brush.vary(0, 100)
        brush.fill("foam", (190, 228, 240), ellipse(x, y, brush.vary(6, 14), 0.7))
    brush.fill("foam", (244, 250, 250), brush.ridge(shore - 2, 2.5, 60))
    brush.fill("sand", (246, 222, 164), brush.ridge(shore + 1, 2.5, 60), bottom=(226, 188, 120))
    if brush.chance(0.6):
        x, y = brush.vary(10, 118), shore + brush.vary(4, 16)
        brush.fill("parasol", (240, 236, 226), line([(x, y), (x + 3, y - 26)], 1.4))
        top = [(x + 3 + 14 * np.cos(a), y - 24 - 11 * np.sin(a)) for a in np.linspace(0, np.pi, 12)]
        brush.fill("parasol", brush.choose((226, 70, 70), (60, 120, 210), (250, 190, 60)), polygon(*top))
    return shore + 3


def fir(x: float, y: float, height: float, width: float) -> DoubleArray:
    """A fir in three tiers."""
    points = [(x, y - height)]
    for share, half in ((0.62, 0.5), (0.62, 0.26), (0.3, 0.75), (0.3, 0.42), (0.0, 1.0)):
        points.append((x + half * width, y - share * height))
    return polygon(*points, *((2 * x - px, py) for px, py in reversed(points[1:])))


def _fern(brush: Brush, x: float, y: float, size: float) -> None:
    leaves = [
        smooth(
            (x, y),
            (x + d * size * 0.5, y - size * 0.8),
            (x + d * size, y - size * 0.5 + abs(d) * 3),
            (x + d * size * 0.5, y - size * 0.35),
        )
        for d in (-0.9, -0.35, 0.35, 0.9)
    ]
    brush.fill("fern", (70, 120, 48), *leaves)


@backdrop("forest", "in a forest", "sky fir bark moss fern", _fern, (0.93, 0.98, 0.92))
def forest(brush: Brush) -> float:
    """Rows of firs, and dark trunks near by."""
    brush.fill(
        "sky", brush.choose((196, 222, 206), (176, 208, 210), (226, 226, 190)), EVERYWHERE, bottom=(206, 226, 190)
    )
    horizon = brush.vary(66, 84)
    for depth, (rgb, height) in enumerate((((140, 182, 150), 46), ((88, 146, 106), 56), ((44, 104, 74), 60))):
        y = horizon - 8 + 5 * depth
        places = np.arange(-6, SIZE + 12, 15 + 3 * depth, dtype=float)
        places += brush.rng.uniform(-4, 4, len(places))
        brush.fill("fir", rgb, *(fir(x, y, height * brush.vary(0.75, 1.15), brush.vary(9, 13)) for x in places))
    brush.fill("moss", (96, 132, 66), brush.ridge(horizon, 3, 70), bottom=(70, 92, 44))
    for _ in range(brush.count(1, 3)):
        x, width = brush.vary(0, SIZE), brush.vary(4, 8)
        brush.fill(
            "bark",
            (94, 66, 46),
            polygon(
                (x - width / 2, -2),
                (x + width / 2, -2),
                (x + width * 0.9, horizon + 12),
                (x - width * 0.9, horizon + 12),
            ),
        )
    return horizon + 4


def _cactus(brush: Brush, x: float, y: float, size: float) -> None:
    if brush.chance(0.4):
        brush.fill(
            "stone",
            (176, 120, 84),
            smooth(
                (x - size * 0.6, y),
                (x - size * 0.3, y - size * 0.5),
                (x + size * 0.3, y - size * 0.4),
                (x + size * 0.6, y),
            ),
        )
        return
    thick = max(size * 0.24, 2)
    arms = [
        line(
            [(x, y - size * 0.4), (x - size * 0.38, y - size * 0.45), (x - size * 0.4, y - size * 0.85)], thick * 0.75
        ),
        line(
            [(x, y - size * 0.3), (x + size * 0.36, y - size * 0.35), (x + size * 0.38, y - size * 0.7)], thick * 0.75
        ),
    ]
    brush.fill(
        "cactus", (62, 128, 74), line([(x, y), (x, y - size * 0.98)], thick), ellipse(x, y - size, thick / 2), *arms
    )


@backdrop("desert", "in a desert", "sky sun dune cactus stone", _cactus, (1.05, 1.0, 0.92))
def desert(brush: Brush) -> float:
    """Dunes, a hot sky and cacti."""
    brush.fill(
        "sky", brush.choose((250, 206, 130), (248, 178, 120), (150, 204, 236)), EVERYWHERE, bottom=(254, 236, 196)
    )
    if brush.chance(0.7):
        brush.fill("sun", (255, 240, 160), ellipse(brush.vary(14, 114), brush.vary(12, 34), brush.vary(8, 14)))
    horizon = brush.vary(54, 76)
    brush.fill("dune", (236, 178, 112), brush.ridge(horizon - 8, 7, 120), bottom=(240, 190, 120))
    brush.fill("dune", (222, 154, 86), brush.ridge(horizon, 6, 100), bottom=(236, 178, 104))
    brush.fill("dune", (240, 188, 112), brush.ridge(horizon + 8, 4, 140), bottom=(206, 142, 76))
    for _ in range(brush.count(1, 3)):
        _cactus(brush, brush.vary(4, 124), horizon + brush.vary(4, 14), brush.vary(14, 26))
    return horizon + 7


def _rock(brush: Brush, x: float, y: float, size: float) -> None:
    brush.fill(
        "stone",
        (128, 128, 134),
        polygon(
            (x - size * 0.7, y),
            (x - size * 0.4, y - size * 0.6),
            (x + size * 0.15, y - size * 0.75),
            (x + size * 0.7, y),
        ),
    )
    brush.fill(
        "stone",
        (164, 164, 168),
        polygon((x - size * 0.4, y - size * 0.6), (x + size * 0.15, y - size * 0.75), (x, y - size * 0.35)),
    )


@backdrop("mountains", "in the mountains", "sky sun cloud peak snowcap grass stone", _rock)
def mountains(brush: Brush) -> float:
    """Peaks with snow on them behind a slope."""
    sky(brush, DAY, (150, 196, 236), (236, 188, 196))
    horizon = brush.vary(66, 84)
    for rgb, height, number in (((146, 156, 186), 58, 3), ((106, 112, 140), 44, 3)):
        for x, top, half in brush.peaks(horizon, height, number):
            brush.fill(
                "peak",
                rgb,
                polygon(
                    (x - half, horizon + 6),
                    (x - half * 0.45, top + half * 0.5),
                    (x, top),
                    (x + half * 0.4, top + half * 0.42),
                    (x + half, horizon + 6),
                ),
            )
            cap = half * 0.3
            brush.fill(
                "snowcap",
                (248, 250, 252),
                polygon(
                    (x - cap, top + cap * 1.1),
                    (x, top),
                    (x + cap, top + cap * 1.05),
                    (x + cap * 0.4, top + cap * 0.75),
                    (x, top + cap * 1.2),
                    (x - cap * 0.4, top + cap * 0.8),
                ),
            )
    brush.fill("grass", (126, 158, 96), brush.ridge(horizon + 2, 4, 130), bottom=(98, 130, 76))
    return horizon + 6


def _drift(brush: Brush, x: float, y: float, size: float) -> None:
    brush.fill(
        "snow",
        (232, 240, 250),
        smooth(
            (x - size, y + 1), (x - size * 0.4, y - size * 0.5), (x + size * 0.4, y - size * 0.4), (x + size, y + 1)
        ),
    )


@backdrop("winter", "in winter", "sky fir snow snowflake", _drift, (0.95, 0.98, 1.04))
def winter(brush: Brush) -> float:
    """Snow on the ground, on the firs and in the air."""
    brush.fill(
        "sky", brush.choose((176, 196, 220), (200, 206, 222), (158, 180, 214)), EVERYWHERE, bottom=(228, 234, 244)
    )
    horizon = brush.vary(58, 78)
    brush.fill("snow", (222, 230, 242), brush.ridge(horizon - 8, 6), bottom=(236, 242, 250))
    for _ in range(brush.count(2, 5)):
        x, y, height = brush.vary(0, SIZE), horizon + brush.vary(-4, 5), brush.vary(20, 40)
        brush.fill("fir", (70, 108, 104), fir(x, y, height, height * 0.3))
        brush.fill(
            "snow",
            (244, 248, 252),
            polygon((x, y - height), (x + height * 0.13, y - height * 0.7), (x - height * 0.13, y - height * 0.7)),
        )
    brush.fill("snow", (250, 252, 254), brush.ridge(horizon + 6, 3), bottom=(214, 226, 242))
    flakes = brush.rng.uniform(0, SIZE, (brush.count(14, 34), 2))
    brush.fill("snowflake", (252, 252, 254), *(dot(x, y, brush.vary(0.7, 1.5)) for x, y in flakes.tolist()))
    return horizon + 7
