"""Colours, numbers and pictures: known values."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lumiscope.concepts import CATEGORIES
from lumiscope.report import numbers
from lumiscope.report._palette import COLOURS, category_colour, text_colour
from lumiscope.report._thumbnails import Thumbnails
from lumiscope.report.colour import blue_orange, cividis, gradient, overlay, signed_overlay
from lumiscope.report.outline import CYAN, DARK, bordered, outlined
from lumiscope.report.picture import Picture
from lumiscope.runs import NO_LABEL

GREY = np.array([0.299, 0.587, 0.114])


def test_cividis_runs_from_dark_blue_to_yellow_and_only_gets_lighter():
    colours = cividis(np.linspace(0, 1, 64))
    assert colours[0].tolist() == [0, 34, 77]
    assert colours[-1].tolist() == [253, 231, 55]
    assert (np.diff(colours @ GREY) > 0).all()


def test_cividis_is_that_of_matplotlib():
    from matplotlib import colormaps

    values = np.concatenate([np.linspace(-0.1, 1.1, 10_001), np.arange(257) / 256, [np.nan]])
    for dtype in (np.float32, np.float64):
        given = values.astype(dtype)
        expected = colormaps["cividis"](np.clip(given, 0, 1), bytes=True)[..., :3]
        np.testing.assert_array_equal(cividis(given), expected)


def test_blue_orange_is_symmetric_in_lightness():
    values = np.linspace(0, 1, 33)
    above, below = blue_orange(values), blue_orange(-values)
    assert np.abs((above @ GREY) - (below @ GREY)).max() < 6
    assert (np.diff(above @ GREY) < 0).all()
    assert (np.diff(below @ GREY) < 0).all()
    assert above[-1][0] > above[-1][2]
    assert below[-1][2] > below[-1][0]
    assert blue_orange(np.array(0.0)).tolist() == [245, 244, 240]


@pytest.mark.parametrize(
    ("white", "dark"),
    [
        ("#757575", "#767676"),
        ("#e00000", "#ff0000"),
        ("#008000", "#009000"),
        ("#0000ff", "#7070ff"),
        ("#000000", "#ffffff"),
    ],
)
def test_text_is_white_on_what_is_darker_than_a_luminance_of_0_18(white, dark):
    """In WCAG, #767676 is the grey of a contrast of 4.54 with white: (1 + 0.05) / (0.181 + 0.05)."""
    assert (text_colour(white), text_colour(dark)) == ("#ffffff", "#15181d")


def test_overlay_is_seven_tenths_map():
    view = np.full((2, 2, 3), 100, np.uint8)
    shown = overlay(view, np.zeros((2, 2), np.float32))
    assert shown[0, 0].tolist() == [30, round(30 + 0.7 * 34), round(30 + 0.7 * 77)]


def test_signed_overlay_has_a_fixed_scale():
    view = np.zeros((1, 2, 3), np.uint8)
    weak, strong = (signed_overlay(view, np.array([[value, -value]]), 0.4) for value in (0.2, 0.4))
    assert (strong[0, 0] == (0.7 * np.array([124, 50, 0])).round()).all()
    assert (weak[0, 1] == (0.7 * np.array([126, 180, 226])).round()).all()
    assert (signed_overlay(view, np.zeros((1, 2)), 0.0) == (0.7 * np.array([245, 244, 240])).round()).all()


def test_gradients_begin_and_end_as_the_maps_do():
    assert gradient(signed=False).startswith("linear-gradient(to right,#00224d,")
    assert gradient(signed=True) == (
        "linear-gradient(to right,#12478f,#487eb8,#7eb4e2,#bad4e9,#f5f4f0,#f0c69b,#ec9846,#b46523,#7c3200)"
    )


def test_every_category_has_its_own_colour_and_readable_text():
    colours = [category_colour(name) for name in (*CATEGORIES, NO_LABEL)]
    assert set(COLOURS) == {*CATEGORIES, NO_LABEL}
    assert len(set(colours)) == len(colours)
    assert all(contrast(colour, text_colour(colour)) >= 4.5 for colour in colours)


def contrast(first: str, second: str) -> float:
    """WCAG 2.1 contrast ratio."""
    lights = []
    for colour in (first, second):
        channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        lights.append(float(linear @ (0.2126, 0.7152, 0.0722)) + 0.05)
    return max(lights) / min(lights)


def test_outline_lies_inside_the_mask_and_the_rest_is_dark():
    view = np.full((256, 256, 3), 200, np.uint8)
    mask = np.zeros((256, 256), bool)
    mask[100:150, 80:160] = True
    shown = outlined(view, mask, CYAN)
    assert tuple(shown[100, 120]) == tuple(shown[101, 120]) == CYAN
    assert tuple(shown[99, 120]) == DARK
    assert shown[125, 120].tolist() == [200] * 3
    assert shown[10, 10].tolist() == [90] * 3


def test_small_views_are_enlarged_with_their_masks():
    shown = outlined(np.full((100, 120, 3), 50, np.uint8), np.ones((100, 120), bool))
    assert shown.shape == (300, 360, 3)


@pytest.mark.parametrize("fill", [False, True])
def test_empty_and_full_masks_can_be_drawn(fill):
    shown = outlined(np.full((224, 224, 3), 100, np.uint8), np.full((224, 224), fill))
    assert shown[112, 112].tolist() == [100 if fill else 45] * 3


def test_borders_between_segments():
    segments = np.zeros((4, 4), np.int64)
    segments[:, 2:] = 1
    shown = bordered(np.full((4, 4, 3), 255, np.uint8), segments)
    assert (shown[:, 2] < 120).all()
    assert (np.delete(shown, 2, axis=1) == 255).all()


def test_pictures_come_back():
    pixels = np.zeros((30, 40, 3), np.uint8)
    pixels[:, 20:] = 255
    embedded = Picture.of(pixels, "half white")
    assert (embedded.width, embedded.height) == (40, 30)
    header, _, content = embedded.uri.partition(",")
    assert header == "data:image/webp;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
        back = np.asarray(picture.convert("RGB")).astype(int)
    assert back.shape == (30, 40, 3)
    assert np.abs(back - pixels)[:, [5, 35]].max() < 12


def test_a_picture_is_embedded_once():
    thumbnails = Thumbnails()
    asked = []

    def load():
        asked.append(1)
        return np.zeros((20, 50, 3), np.uint8)

    assert thumbnails.css_class("a", load) == thumbnails.css_class("a", load) == "t0"
    assert thumbnails.css_class("gone", lambda: None) == ""
    assert len(asked) == len(thumbnails.rules) == 1


def test_numbers_as_text():
    assert numbers.decimal(-0.0625) == "−0.062"
    assert numbers.decimal(math.nan) == "undefined"
    assert numbers.decimal(None) == "–"
    assert numbers.percent(0.1234) == "12.3 %"
    assert [numbers.significant(value) for value in (0.00123456, 12.3456, 1234.5, 0.0, -2e-9)] == (
        ["0.00123", "12.3", "1234", "0", "−2.00e−09"]
    )
    assert [numbers.p_value(value) for value in (0.0009, 0.001, 1.0, math.nan)] == (
        ["p < 0.001", "p = 0.001", "p = 1.000", "p undefined"]
    )
    assert [numbers.duration(value) for value in (0.1834, 59.0, 200.2, 7500.0, None)] == (
        ["0.18 s", "59 s", "3 min 20 s", "2 h 5 min", "–"]
    )
    assert numbers.whole(1234567) == "1\u202f234\u202f567"
    assert numbers.date("2026-01-02T03:04:05+02:00") == "2 January 2026, 01:04 UTC"


@given(st.floats(min_value=1e-5, max_value=1e8))
def test_significant_digits_are_close(value):
    assert math.isclose(float(numbers.significant(value)), value, rel_tol=6e-3)
