"""The way back from the view onto the original image."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.errors import UsageError
from lumiscope.images import Geometry, View


def black(height: int, width: int) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def test_values_by_hand():
    # One row of two view pixels over four original ones: their centres are at -0.25, 0.25, 0.75 and 1.25 view pixels.
    view = View(black(1, 2), "", (0, 0, 4, 1), (1, 4))
    original = view.to_original(np.array([[0.0, 1.0]]))
    assert original.dtype == np.float32
    np.testing.assert_allclose(original, [[0, 0.25, 0.75, 1]])


def test_same_size_is_the_identity():
    values = np.random.default_rng(0).normal(size=(12, 17)).astype(np.float32)
    np.testing.assert_array_equal(Geometry((12, 17)).view(black(12, 17)).to_original(values), values)


def test_squash_round_trip_of_a_smooth_map():
    rows, columns = np.mgrid[:120, :200] + 0.5
    original = np.sin(rows / 120 * 3) + np.cos(columns / 200 * 4)
    view_rows, view_columns = np.mgrid[:60, :70] + 0.5
    on_view = np.sin(view_rows / 60 * 3) + np.cos(view_columns / 70 * 4)
    back = Geometry((60, 70), "squash").view(black(120, 200)).to_original(on_view)
    # Half a view pixel at the border, where bilinear is constant: slopes of at most 3/60 and 4/70 per view pixel.
    np.testing.assert_allclose(back, original, atol=0.5 * (3 / 60 + 4 / 70))
    np.testing.assert_allclose(back[5:-5, 5:-5], original[5:-5, 5:-5], atol=1e-3)


@pytest.mark.parametrize(
    ("original_size", "rows", "columns"),
    [((200, 100), slice(50, 150), slice(0, 100)), ((100, 200), slice(0, 100), slice(50, 150))],
)
def test_nan_exactly_where_the_crop_cuts(original_size, rows, columns):
    original = Geometry((32, 32)).view(black(*original_size)).to_original(np.ones((32, 32)))
    shown = np.zeros(original_size, bool)
    shown[rows, columns] = True
    np.testing.assert_array_equal(np.isnan(original), ~shown)
    assert (original[shown] == 1).all()


@pytest.mark.parametrize(("row", "column"), [(70, 50), (99, 61), (130, 12)])
@pytest.mark.parametrize(
    "geometry", [Geometry((48, 48)), Geometry((40, 44), resize_size=(48, 46)), Geometry((64, 30), "squash")]
)
def test_bright_dot_comes_back_to_its_place(geometry, row, column):
    # A block of 5×5 original pixels: larger than a view pixel, so that the view shows it.
    pixels = black(200, 100)
    pixels[row - 2 : row + 3, column - 2 : column + 3] = 255
    view = geometry.view(pixels)
    weight = np.nan_to_num(view.to_original(view.pixels[..., 0].astype(np.float32)))
    rows, columns = np.mgrid[:200, :100]
    centre = (weight * rows).sum() / weight.sum(), (weight * columns).sum() / weight.sum()
    np.testing.assert_allclose(centre, (row, column), atol=1)


def test_wrong_size_is_refused():
    with pytest.raises(UsageError, match=r"must be \(32, 32\), the size of the view, not \(7, 7\)"):
        Geometry((32, 32)).view(black(32, 32)).to_original(np.ones((7, 7)))
