"""What a map looks like: values that can be worked out by hand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from lumiscope.agreement import measure_map


def values(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32).reshape(1, -1)


def test_a_flat_map_extends_over_everything() -> None:
    shape = measure_map(np.ones((4, 4), np.float32))
    assert (shape.extent, shape.entropy, shape.gini) == (0.5, pytest.approx(1), pytest.approx(0))
    assert (shape.contour, shape.sharpness) == (0, 0)


def test_a_single_pixel_is_the_least_that_there_can_be() -> None:
    shown = np.zeros((4, 4), np.float32)
    shown[1, 1] = 3
    shape = measure_map(shown)
    assert (shape.extent, shape.entropy, shape.gini) == (1 / 16, 0, pytest.approx(15 / 16))
    # Slopes: 1 above it, 1 left of it, and √2 at it; the view has a side of 4.
    assert shape.contour == pytest.approx((2 + math.sqrt(2)) / 4)
    assert shape.sharpness == pytest.approx(4 * 4 / (2 + math.sqrt(2)))


def test_extent_is_the_fewest_pixels_that_hold_half() -> None:
    assert measure_map(values(4, 1, 1, 2)).extent == 1 / 4
    assert measure_map(values(3, 2, 2, 1)).extent == 2 / 4
    assert measure_map(values(1, 1, 1, 1, 1)).extent == 3 / 5


def test_gini_and_entropy_are_their_definitions() -> None:
    numbers = np.random.default_rng(0).random(50).astype(np.float32)
    shape = measure_map(numbers.reshape(5, 10))
    exact = numbers.astype(np.float64)
    differences = np.abs(exact[:, None] - exact).mean()
    assert shape.gini == pytest.approx(differences / (2 * exact.mean()))
    shares = exact / exact.sum()
    assert shape.entropy == pytest.approx(-(shares * np.log(shares)).sum() / math.log(50))


def test_the_contour_of_a_disc_is_its_circumference() -> None:
    """A blurred disc of radius 1/4: the mean contour over all levels is about 2π/4 sides."""
    grid = (np.arange(200) + 0.5) / 200 - 0.5
    distance = np.hypot(grid[:, None], grid)
    shown = np.clip((0.25 - distance) / 0.1 + 0.5, 0, 1).astype(np.float32)
    shape = measure_map(shown)
    assert shape.contour == pytest.approx(math.pi / 2, rel=0.01)
    assert shape.sharpness == pytest.approx(10, rel=0.02), "it falls from 1 to 0 over a tenth of the view"


def test_the_weight_on_the_object_leaves_void_out() -> None:
    truth, void = np.array([[True, False, False, False]]), np.array([[False, False, False, True]])
    assert measure_map(values(2, 1, 1, 4), truth).inside == 2 / 8
    assert measure_map(values(2, 1, 1, 4), truth, void).inside == 2 / 4
    assert math.isnan(measure_map(values(2, 1, 1, 4), ~np.ones((1, 4), bool)).inside)
    assert math.isnan(measure_map(values(2, 1)).inside)


def test_scale_changes_nothing() -> None:
    shown = np.random.default_rng(1).random((6, 7)).astype(np.float32)
    whole, half = (dataclasses.astuple(measure_map(shown * factor, shown > 0.5)) for factor in (1, 0.25))
    assert whole == pytest.approx(half, rel=1e-6)


@pytest.mark.parametrize("fill", [0.0, math.nan])
def test_what_shows_nothing_has_no_shape(fill: float) -> None:
    shape = measure_map(np.full((3, 3), fill, np.float32))
    assert all(map(math.isnan, dataclasses.astuple(shape)))
