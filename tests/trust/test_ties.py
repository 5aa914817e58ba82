"""One policy for ties: expected values, and whole blocks."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from lumiscope.trust.judged_view import region_means, region_sums
from lumiscope.trust.ties import expected_rank_correlation, expected_share, orders, tie_blocks


def test_without_ties_it_is_spearmans():
    rng = np.random.default_rng(0)
    values, truth = rng.normal(size=(2, 20))
    assert expected_rank_correlation(values, truth) == pytest.approx(spearmanr(values, truth).statistic)


@pytest.mark.parametrize("values", [[1, 1, 1, 1, 1], [0, 0, 0, 1, 2], [0, 1, 1, 0, 1], [2, 0, 0, 0, 1]])
def test_ties_are_the_mean_over_all_orders(values):
    truth = np.array([0.3, -1, 2, 2, 0.5])
    orders = [
        spearmanr(np.array(values) + 1e-6 * np.array(order), truth).statistic
        for order in itertools.permutations(range(5))
    ]
    assert expected_rank_correlation(np.array(values, float), truth) == pytest.approx(np.mean(orders))


def test_a_constant_map_orders_nothing_and_a_constant_truth_cannot_be_ordered():
    assert expected_rank_correlation(np.ones(6), np.arange(6.0)) == 0
    assert math.isnan(expected_rank_correlation(np.arange(6.0), np.ones(6)))
    assert math.isnan(expected_rank_correlation(np.arange(2.0), np.arange(2.0)))


def test_rounding_breaks_no_tie():
    """Means of 0.1 over 18 and 19 pixels differ in the last bit."""
    regions = np.repeat([0, 1, 2], [18, 19, 37])[np.newaxis]
    for value in (0.1, 1 / 3, 1e-7, 1e9):
        values = np.full(regions.shape, value)
        assert len(set(region_means(values, regions))) == 1
        assert len(set(region_sums(values, np.repeat([0, 1], 37)[np.newaxis]))) == 1
        assert expected_rank_correlation(region_means(values, regions), np.array([3.0, 1, 2])) == 0


def test_shares_at_a_plateau_are_expected_ones():
    inside = np.array([1.0, 0, 0, 1, 0, 0])
    values = np.array([5.0, 3, 3, 3, 3, 0])
    assert expected_share(inside, values, 1) == 1
    assert expected_share(inside, values, 3) == pytest.approx((1 + 2 * 1 / 4) / 3), "two of four ties, one inside"
    assert expected_share(inside, np.ones(6), 2) == pytest.approx(1 / 3), "a constant map: the share of all"


def test_blocks_are_levels_where_there_are_few():
    values = np.array([[3.0, 1, 1], [0, 0, 3]])
    block, ends = tie_blocks(values, most=32)
    assert block.tolist() == [[0, 1, 1], [2, 2, 0]]
    assert ends.tolist() == pytest.approx([2 / 6, 4 / 6, 1])


def test_no_more_blocks_than_asked_and_no_tie_is_cut():
    values = np.maximum(np.random.default_rng(1).normal(size=(20, 20)), 0)
    block, ends = tie_blocks(values, most=8)
    assert len(ends) <= 8
    assert ends[-1] == 1
    assert (np.diff(ends) > 0).all()
    for value in (0.0, values.max()):
        assert len(set(block[values == value])) == 1
    shares = np.cumsum(np.bincount(block.ravel())) / block.size
    np.testing.assert_allclose(shares, ends)
    assert (np.diff([values[block == number].mean() for number in range(len(ends))]) < 0).all()


@pytest.mark.parametrize(
    ("drops", "said"), [([0, 1], False), ([0, 0, 1], True), ([1, 1, 1], False), ([0, 0, 0.9e-4], False), ([], False)]
)
def test_three_drops_that_differ_by_a_ten_thousandth_order_something(drops, said):
    assert orders(np.array(drops, float)) is said
    assert orders(np.array([0, 0.5e-4, 1e-4]))
