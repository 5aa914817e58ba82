"""The box of a view on which a unit fires."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumiscope.dissection.crops import crop_box


def test_one_position_of_many():
    """On 8×8 of a 64×64 view: pixels 16..24 and 40..48, made a third of the side, 22 pixels, around their middle."""
    unit_map = np.zeros((8, 8), np.float32)
    unit_map[2, 5] = 1
    assert crop_box(unit_map, (64, 64)) == (33, 9, 55, 31)


def test_a_wide_region_has_a_margin_and_becomes_square():
    """Columns 2..5 of 8 are pixels 20..60 of 80; with a tenth of 40 on each side 16..64, and as high."""
    unit_map = np.zeros((8, 8), np.float32)
    unit_map[3, 2:6] = [1, 0.8, 0.75, 0.9]
    unit_map[3, 6] = 0.69
    unit_map[7, 7] = 0.9
    assert crop_box(unit_map, (80, 80)) == (16, 11, 64, 59)


def test_it_is_moved_inside_the_view_and_cut_to_it():
    unit_map = np.zeros((4, 8), np.float32)
    unit_map[0, 0] = 1
    assert crop_box(unit_map, (40, 80)) == (0, 0, 14, 14)
    unit_map[0] = 1
    assert crop_box(unit_map, (40, 80)) == (0, 0, 80, 40)


def test_what_is_below_silence_does_not_count():
    """A signed map: 0.6 of 1 is less than 0.7 of it, though it is more than 0.7 of the way up from -1."""
    unit_map = np.full((8, 8), -1, np.float32)
    unit_map[3, 2:6] = [1, 0.6, 0.6, 0.6]
    alone = np.zeros((8, 8), np.float32)
    alone[3, 2] = 1
    assert crop_box(unit_map, (80, 80)) == crop_box(alone, (80, 80))


@pytest.mark.parametrize("value", [0, 1, np.nan, np.inf])
def test_the_whole_view_where_nothing_stands_out(value):
    assert crop_box(np.full((3, 3), value, np.float32), (30, 40)) == (0, 0, 40, 30)
    spoilt = np.eye(3, dtype=np.float32)
    spoilt[0, 0] = np.nan
    assert crop_box(spoilt, (30, 40)) == (0, 0, 40, 30)


@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    height=st.integers(9, 300),
    width=st.integers(9, 300),
    seed=st.integers(0, 99),
)
def test_it_holds_the_maximum_and_lies_in_the_view(rows, columns, height, width, seed):
    unit_map = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32) - 5
    left, top, right, bottom = crop_box(unit_map, (height, width))
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    least = min(height, width) / 3
    assert right - left >= min(least, width)
    assert bottom - top >= min(least, height)
    row, column = np.unravel_index(unit_map.argmax(), unit_map.shape)
    assert left <= (column + 0.5) * width / columns <= right
    assert top <= (row + 0.5) * height / rows <= bottom
