"""The painter against a plain painter: even-odd crossing counts in float64 at the centre of each pixel."""

import numpy as np
import pytest

from lumiscope.types import DoubleArray
from lumiscope.world.renderer._outlines import box, ellipse, line, rounded, smooth, turned
from lumiscope.world.renderer.canvas import FINE, INK, SIZE, Canvas, Paint
from lumiscope.world.renderer.colours import COLOURS, PROTOTYPES, Colour, named, some
from lumiscope.world.renderer.textures import PATTERNS, TEXTURES, Texture

RED, WHITE, BLUE = (Colour(name, PROTOTYPES[name]) for name in ("red", "white", "blue"))
EVERYWHERE = box(0, 0, SIZE, SIZE)


def inside(outline: DoubleArray, x: float, y: float) -> bool:
    crossings = 0
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            crossings += 1
    return crossings % 2 == 1


def distance_to_edge(outline: DoubleArray, x: float, y: float) -> float:
    point = np.array((x, y))
    distances = []
    for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        share = np.clip((point - start) @ (end - start) / max((end - start) @ (end - start), 1e-12), 0, 1)
        distances.append(np.linalg.norm(start + share * (end - start) - point))
    return float(min(distances))


@pytest.mark.parametrize("seed", range(4))
def test_labels_are_those_of_a_plain_painter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    canvas = Canvas()
    canvas.paint(Paint(WHITE), [EVERYWHERE])
    shapes = [ellipse(0, 0, *rng.uniform(8, 40, 2)) for _ in range(4)]
    outlines = [turned(shape, rng.uniform(0, 90), *rng.uniform(20, 108, 2)) for shape in shapes]
    for outline in outlines:
        canvas.paint(Paint(RED), [outline])
    got = canvas.develop().centre.astype(int) - 1  # the bare canvas is paint 0
    for y in range(0, SIZE, 3):
        for x in range(0, SIZE, 3):
            at = (x + 0.5, y + 0.5)
            wanted = max([0, *(k for k, outline in enumerate(outlines, 1) if inside(outline, *at))])
            if got[y, x] != wanted:
                # Pillow counts sub-pixels that an edge touches as inside.
                assert min(distance_to_edge(outline, *at) for outline in outlines) < 1.01 / FINE


def test_a_pixel_mixes_what_covers_it() -> None:
    canvas = Canvas()
    canvas.paint(Paint(WHITE), [EVERYWHERE])
    canvas.paint(Paint(RED), [box(0, 0, 64 + 1 / 3, SIZE)])
    row = canvas.develop().pixels[50]
    np.testing.assert_allclose(row[60], RED.rgb, atol=1)
    np.testing.assert_allclose(row[70], WHITE.rgb, atol=1)
    share = (row[64] - WHITE.rgb) / np.subtract(RED.rgb, WHITE.rgb)
    assert (share > 0.3).all()
    assert (share < 0.7).all()


def test_outlines_are_drawn_around_what_has_ink() -> None:
    def darkest(ink: bool) -> float:
        canvas = Canvas()
        canvas.paint(Paint(WHITE), [EVERYWHERE])
        canvas.paint(Paint(RED, ink=ink), [ellipse(64, 64, 30)])
        return float(canvas.develop().pixels.sum(axis=2).min())

    assert darkest(ink=True) < 0.7 * darkest(ink=False)


def test_a_gradient_runs_from_top_to_bottom_of_its_shape() -> None:
    canvas = Canvas()
    canvas.paint(Paint(RED, bottom=BLUE), [box(0, 20, SIZE, 100)])
    pixels = canvas.develop().pixels
    np.testing.assert_allclose(pixels[20, 5], RED.rgb, atol=3)
    np.testing.assert_allclose(pixels[60, 5], np.add(RED.rgb, BLUE.rgb) / 2, atol=3)
    np.testing.assert_allclose(pixels[99, 5], BLUE.rgb, atol=3)


def test_shadows_fall_on_the_background_only() -> None:
    canvas = Canvas()
    canvas.paint(Paint(WHITE), [EVERYWHERE])
    canvas.paint(Paint(WHITE, object=1), [box(0, 0, 64, SIZE)])
    canvas.shadow(Paint(WHITE, object=1), 64, 64, 40, 40)
    pixels = canvas.develop().pixels
    assert pixels[64, 60].mean() == pytest.approx(np.mean(WHITE.rgb), abs=1)
    assert pixels[64, 70].mean() < 0.75 * np.mean(WHITE.rgb)


def test_too_many_paints_are_an_error() -> None:
    canvas = Canvas()
    for _ in range(INK - 1):
        canvas.paint(Paint(WHITE), [EVERYWHERE])
    with pytest.raises(ValueError, match="at most"):
        canvas.paint(Paint(WHITE), [EVERYWHERE])


@pytest.mark.parametrize("name", TEXTURES)
def test_a_pattern_shows_both_its_colours_and_turns_with_its_surface(name: str) -> None:
    y, x = np.mgrid[:64, :64] + 0.5
    amount = Texture(name, WHITE, 7.0, 0.4, 10, 20).amount(x, y)
    assert amount.min() == 0
    assert amount.max() > 0.9
    assert 0.1 < amount.mean() < 0.7
    cosine, sine = np.cos(0.4), np.sin(0.4)
    upright = PATTERNS[name](((x - 10) * cosine + (y - 20) * sine) / 7.0, ((y - 20) * cosine - (x - 10) * sine) / 7.0)
    np.testing.assert_allclose(amount, upright, atol=1e-9)


@pytest.mark.parametrize("name", COLOURS)
def test_a_paint_has_the_colour_of_its_name(name: str) -> None:
    rng = np.random.default_rng(0)
    mean = np.mean([some(name, rng).rgb for _ in range(50)], axis=0)
    assert named(mean).name == name
    assert named(np.array(PROTOTYPES[name], float)).name == name


def test_a_partner_shows_on_every_colour() -> None:
    for name, rgb in PROTOTYPES.items():
        assert np.abs(np.subtract(Colour(name, rgb).partner().rgb, rgb)).max() > 60, name


def test_smooth_curves_go_through_their_points() -> None:
    corners = ((0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.0, 1.5))
    curve = smooth(*corners)
    for corner in corners:
        assert np.linalg.norm(curve - corner, axis=1).min() < 1e-12


def test_a_stroke_has_its_width() -> None:
    stroke = line([(0, 0), (10, 0), (20, 0)], 3)
    assert stroke[:, 1].max() - stroke[:, 1].min() == pytest.approx(3)
    assert stroke[:, 0].max() == 20


def test_round_corners_stay_in_their_box() -> None:
    outline = rounded(1, 2, 9, 7, 2)
    assert outline.min(axis=0) == pytest.approx((1, 2))
    assert outline.max(axis=0) == pytest.approx((9, 7))


def test_a_gradient_is_labelled_with_the_colour_of_each_row() -> None:
    canvas = Canvas()
    canvas.paint(Paint(RED, bottom=BLUE), [EVERYWHERE])
    picture = canvas.develop()
    for row in range(0, SIZE, 5):
        names = {named(picture.pixels[max(0, min(near, SIZE - 1)), 7]).number for near in range(row - 5, row + 6)}
        assert picture.colours[row, 7] in names
    assert {COLOURS[number - 1] for number in np.unique(picture.colours)} >= {"red", "blue"}
