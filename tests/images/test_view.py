"""Where a view lies on the original image."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.images import Geometry


def black(height: int, width: int) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("original_size", "box"),
    [((200, 100), (0, 50, 100, 150)), ((100, 200), (50, 0, 150, 100)), ((32, 32), (0, 0, 32, 32))],
)
def test_a_crop_is_the_middle(original_size, box):
    assert Geometry((32, 32)).view(black(*original_size)).box == pytest.approx(box)


@pytest.mark.parametrize(("row", "column"), [(70, 50), (99, 61), (130, 12)])
@pytest.mark.parametrize(
    "geometry", [Geometry((48, 48)), Geometry((40, 44), resize_size=(48, 46)), Geometry((64, 30), "squash")]
)
def test_a_bright_dot_lies_where_the_box_says(geometry, row, column):
    # A block of 5×5 original pixels: larger than a view pixel, so that the view shows it.
    pixels = black(200, 100)
    pixels[row - 2 : row + 3, column - 2 : column + 3] = 255
    view = geometry.view(pixels)
    left, top, right, bottom = view.box
    weight = view.pixels[..., 0].astype(np.float64)
    height, width = weight.shape
    rows, columns = np.mgrid[:height, :width] + 0.5
    centre = (weight * rows).sum() / weight.sum(), (weight * columns).sum() / weight.sum()
    on_original = top + centre[0] * (bottom - top) / height, left + centre[1] * (right - left) / width
    np.testing.assert_allclose(on_original, (row + 0.5, column + 0.5), atol=1)
