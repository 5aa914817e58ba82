"""How often one method is better than another on the same image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from lumiscope.errors import UsageError
from lumiscope.statistics import Superiority, mean_interval, superiority


def test_wins_are_counted_and_ties_are_half_a_win() -> None:
    first, second = [3, 1, 2, 2, 5], [1, 2, 2, 1, 4]
    slowly = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in zip(first, second, strict=True)) / 5
    assert superiority(first, second).probability == slowly == 3.5 / 5
    assert superiority(second, first).probability == 1.5 / 5


def test_nine_wins_of_ten_have_jeffreys_interval_within_clopper_and_pearson_s() -> None:
    result = superiority([1.0] * 9 + [0.0], [0.5] * 10)
    expected = stats.beta.ppf(0.025, 9, 1.5), stats.beta.ppf(0.975, 9.5, 1)
    assert (result.low, result.high) == pytest.approx(expected, abs=0.01)
    exact = stats.binomtest(9, 10).proportion_ci(method="exact")
    assert exact.low < result.low < result.high < exact.high


def test_winning_always_is_not_certain_on_the_next_image() -> None:
    """Six of six: the lower end is the 2.5 % of Beta(6, 1/2)."""
    result = superiority(range(1, 7), [0] * 6)
    assert (result.probability, result.high) == (1, 1)
    assert result.low == pytest.approx(stats.beta.ppf(0.025, 6, 0.5), abs=0.01)


def test_only_the_order_counts() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 20))
    assert superiority(np.exp(first), np.exp(second)) == superiority(first, second)


def test_groups_of_one_image_are_no_groups_and_two_say_nothing() -> None:
    first, second = np.random.default_rng(1).normal(size=(2, 8))
    assert superiority(first, second, groups=list("abcdefgh")) == superiority(first, second)
    two = superiority(first, second, groups=[0, 1] * 4)
    assert (two.low, two.high) == (0, 1)
    wins = (first > second) * 1.0
    labels = [0, 0, 1, 1, 2, 2, 3, 3]
    low, high = mean_interval(wins, bounds=(0, 1), groups=labels)
    assert superiority(first, second, groups=labels) == Superiority(wins.mean(), low, high)


def test_nothing_is_known_without_numbers() -> None:
    unknown = [[], *([1, number, 2] for number in (math.nan, math.inf, -math.inf))]
    for numbers in unknown:
        for first, second in ((numbers, [0] * len(numbers)), ([0] * len(numbers), numbers)):
            result = superiority(first, second)
            assert all(map(math.isnan, (result.probability, result.low, result.high)))


def test_nineteen_of_twenty_hold_the_probability() -> None:
    """Normal scores one apart: Φ(1/√2). Of 300 intervals 285 are expected, fewer than 273: probability below 0.005."""
    rng = np.random.default_rng(2)
    true = stats.norm.cdf(1 / math.sqrt(2))
    intervals = [superiority(rng.normal(1, 1, 20), rng.normal(0, 1, 20)) for _ in range(300)]
    assert sum(result.low <= true <= result.high for result in intervals) >= 273


def test_both_are_of_the_same_images() -> None:
    with pytest.raises(UsageError, match="got 2 and 3"):
        superiority([1, 2], [1, 2, 3])
    with pytest.raises(UsageError, match="got 1 labels for 2 images"):
        superiority([1, 2], [1, 2], groups=["a"])
