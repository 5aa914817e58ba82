"""The pairing permutation test: exact for few images, honest under its null, and with power."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from lumiscope.errors import UsageError
from lumiscope.statistics import pairing_test


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_few_images_are_counted_exactly(size: int) -> None:
    matrix = np.random.default_rng(size).random((size, size)) + np.eye(size) / 4
    sums = [
        sum(matrix[row, column] for row, column in enumerate(order)) for order in itertools.permutations(range(size))
    ]
    expected = np.mean(np.array(sums) >= np.trace(matrix) - 1e-12)
    mean, p_value = pairing_test([matrix])
    assert p_value == pytest.approx(expected)
    if size > 1:
        assert mean == pytest.approx((matrix.sum() - np.trace(matrix)) / (size * (size - 1)))
    else:
        assert math.isnan(mean)


def test_the_best_pairing_of_four_has_one_chance_in_24() -> None:
    assert pairing_test([np.eye(4)]) == (0, pytest.approx(1 / 24))
    assert pairing_test([np.ones((4, 4))]) == (1, 1), "whatever is paired, it is the same"
    assert pairing_test([1 - np.eye(4)])[1] == 1


def test_all_pairings_of_seven_are_counted_and_those_of_eight_or_of_two_groups_drawn() -> None:
    assert pairing_test([np.eye(7)], permutations=99)[1] == pytest.approx(1 / 5040)
    assert pairing_test([np.eye(8)], permutations=99)[1] == pytest.approx(1 / 496), "99, and 4 times as many more"
    assert pairing_test([np.eye(16)])[1] == pytest.approx(1 / 50_001)
    assert pairing_test([np.eye(8)])[1] >= 1 / 40_320
    assert pairing_test([np.eye(16)], permutations=1)[1] == pytest.approx(1 / 6)
    of_46 = 46 * pairing_test([np.eye(4), np.eye(3)], permutations=9)[1]
    assert of_46 == pytest.approx(round(of_46)), "1 / 24 · 1 / 6 if they were counted"


@pytest.mark.parametrize("images", [40, 60])
def test_two_images_that_carry_all_are_not_made_more_of_than_they_are(images: int) -> None:
    """Both stay with their partner in 1 of n (n - 1) pairings; a tail fitted to draws said up to 270 times less."""
    matrix = np.zeros((images, images))
    matrix[0, 0] = matrix[1, 1] = 1
    for seed in range(3):
        p_value = pairing_test([matrix], seed=seed)[1]
        # 50,000 draws see 32 or 14 of them on average: a fifth of that has a probability below 1e-5
        assert p_value > 0.2 / (images * (images - 1))


def test_groups_of_one_image_are_none() -> None:
    matrix = np.random.default_rng(3).random((6, 6)) + np.eye(6) / 3
    assert pairing_test([matrix], groups=[list("abcdef")]) == pairing_test([matrix])


def test_many_images_are_drawn_and_groups_stay_among_themselves() -> None:
    first, second = np.eye(8), np.full((8, 8), 0.5)
    mean, p_value = pairing_test([first, second], permutations=999)
    assert mean == pytest.approx((0 * 56 + 0.5 * 56) / 112)
    assert p_value == pytest.approx(1 / 4996), "of the second group every pairing is the same"
    assert pairing_test([first, second], seed=5) == pairing_test([first, second], seed=5)
    blocks = np.block([[np.ones((8, 8)), np.zeros((8, 8))], [np.zeros((8, 8)), np.ones((8, 8))]])
    assert pairing_test([blocks])[1] < 0.001
    assert pairing_test([np.ones((8, 8)), np.ones((8, 8))])[1] == 1, "between groups nothing is paired"


@pytest.mark.parametrize("sizes", [[1], [4], [9], [3, 12]])
def test_where_nothing_overlaps_every_pairing_is_as_alike(sizes: list[int]) -> None:
    assert pairing_test([np.zeros((size, size)) for size in sizes], permutations=50)[1] == 1


@pytest.mark.parametrize("sizes", [[5], [7], [8], [30], [3, 4], [9, 20, 2]])
def test_where_all_pairings_are_alike_chance_explains_any(sizes: list[int]) -> None:
    """Entries are the sum of a row's and a column's number: however they are paired, the same but for rounding."""
    rng = np.random.default_rng(0)
    groups = [rng.random((size, 1)) + rng.random((1, size)) for size in sizes]
    assert pairing_test(groups, permutations=200)[1] == 1


def test_the_seed_decides_which_pairings_are_drawn() -> None:
    matrix = np.random.default_rng(1).random((9, 9))
    drawn = [pairing_test([matrix], permutations=500, seed=seed)[1] for seed in range(4)]
    assert drawn == [pairing_test([matrix], permutations=500, seed=seed)[1] for seed in range(4)]
    assert len(set(drawn)) > 1


@pytest.mark.parametrize("size", [6, 12, 30])
def test_p_values_are_uniform_where_nothing_belongs_together(size: int) -> None:
    rng = np.random.default_rng(size)
    offsets = [rng.normal(size=(size, 1)) + rng.normal(size=(1, size)) for _ in range(400)]  # images differ in area
    p_values = [
        pairing_test([offset + rng.normal(size=(size, size))], permutations=199, seed=number)[1]
        for number, offset in enumerate(offsets)
    ]
    # 400 draws of a chance of 1 in 20: 20 on average, at most 34 with probability 0.999
    assert sum(p <= 0.05 for p in p_values) <= 34
    assert 0.42 < np.mean(p_values) < 0.58


def test_what_cannot_be_tested() -> None:
    assert all(map(math.isnan, pairing_test([])))
    for nothing in (np.empty((0, 0)), np.empty(0)):
        assert all(map(math.isnan, pairing_test([nothing])))
        assert pairing_test([nothing, np.eye(9)], permutations=99) == pairing_test([np.eye(9)], permutations=99)
    for wrong in (np.ones((2, 3)), np.array([[1, np.nan], [0, 1]]), np.ones(4)):
        with pytest.raises(UsageError, match="square matrices of finite numbers"):
            pairing_test([wrong])
    with pytest.raises(UsageError, match="at least 1 permutation"):
        pairing_test([np.eye(2)], permutations=0)
