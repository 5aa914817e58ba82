"""Light, contrast, colour, edges, and where they are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lumiscope.images import measure_low_level


def test_a_red_picture_has_its_colour_and_nothing_else() -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[..., 0] = 255
    measured = measure_low_level(pixels)
    assert (measured.red_green, measured.yellow_blue) == (1, 0.5)
    assert (measured.brightness, measured.contrast) == (pytest.approx(76 / 255), pytest.approx(0, abs=1e-12))
    assert measured.edges == pytest.approx(0, abs=1e-12)
    assert (measured.brightness_left, measured.brightness_top) == (pytest.approx(0.5), pytest.approx(0.5))


def test_a_white_half_is_where_it_is() -> None:
    """The left half white: deviation a half, its centre a quarter from the left, edges in the middle."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :32] = 255
    measured = measure_low_level(pixels)
    assert (measured.brightness, measured.contrast) == (0.5, 0.5)
    assert (measured.brightness_left, measured.brightness_top) == (0.25, 0.5)
    assert (measured.edges_left, measured.edges_top) == (pytest.approx(0.5), pytest.approx(0.5))


def test_black_has_no_place() -> None:
    measured = measure_low_level(np.zeros((30, 30, 3), np.uint8))
    assert dataclasses.astuple(measured) == (0, 0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5)
