"""Spearman's rank correlation and the AUROC: against scipy, and against numbers that can be counted."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from lumiscope.errors import UsageError
from lumiscope.statistics import rank_correlation, separation


@pytest.mark.parametrize("ties", [False, True])
def test_the_correlation_is_that_of_scipy(ties: bool) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 30))
    if ties:
        a, b = np.round(a), np.round(b)
    theirs = stats.spearmanr(a, b)
    ours = rank_correlation(a, b)
    assert ours.value == pytest.approx(theirs.statistic)
    assert ours.p_value == pytest.approx(theirs.pvalue, abs=0.02)


def test_few_images_are_counted_out() -> None:
    a, b = [1.0, 2, 3, 4, 5], [2.0, 1, 3, 5, 4]
    value = stats.spearmanr(a, b).statistic
    all_of_them = [abs(stats.spearmanr(a, order).statistic) for order in itertools.permutations(b)]
    assert rank_correlation(a, b).p_value == np.mean([other >= value - 1e-9 for other in all_of_them])
    assert rank_correlation(a, a).p_value == 2 / 120


def test_the_interval_is_that_of_bonett_and_wright() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=40)
    ours = rank_correlation(a, a + rng.normal(size=40))
    reach = stats.norm.ppf(0.975) * math.sqrt((1 + ours.value**2 / 2) / 37)
    assert math.atanh(ours.high) - math.atanh(ours.low) == pytest.approx(2 * reach)
    assert (rank_correlation([1, 2, 3], [1, 3, 2]).low, rank_correlation([1, 2, 3], [1, 3, 2]).high) == (-1, 1)


def test_what_has_no_correlation() -> None:
    for a, b in (([1.0], [2.0]), ([1, 1, 1], [1, 2, 3])):
        assert math.isnan(rank_correlation(a, b).value)
    with pytest.raises(UsageError, match="finite"):
        rank_correlation([1, math.nan], [1, 2])
    with pytest.raises(UsageError):
        rank_correlation([1, 2, 3], [1, 2])


def test_the_test_holds_its_level() -> None:
    """5 % of 400 are 20; more than 32 have a probability below 0.005."""
    rng = np.random.default_rng(2)
    found = [rank_correlation(*rng.normal(size=(2, 12)), permutations=500).p_value <= 0.05 for _ in range(400)]
    assert sum(found) <= 32


@pytest.mark.parametrize(("size", "others"), [(3, 5), (20, 30)])
def test_the_auroc_is_that_of_mann_and_whitney(size: int, others: int) -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(0.7, 1, size), rng.normal(0, 1, others)])
    group = np.arange(size + others) < size
    theirs = stats.mannwhitneyu(values[group], values[~group], method="exact" if size < 9 else "asymptotic")
    ours = separation(values, group)
    assert ours.auroc == pytest.approx(theirs.statistic / (size * others))
    assert ours.p_value == pytest.approx(theirs.pvalue, abs=1e-12 if size < 9 else 0.01)
    assert 0 <= ours.low < ours.auroc < ours.high <= 1


def test_ties_count_half() -> None:
    assert separation([1, 1, 2, 0], [True, False, True, False]).auroc == (0.5 + 1 + 1 + 1) / 4
    assert separation([1, 1], [True, False]).auroc == 0.5
    assert separation([1, 1], [True, False]).p_value == 1


def test_an_empty_group_has_no_auroc() -> None:
    assert math.isnan(separation([1, 2], [True, True]).auroc)
    with pytest.raises(UsageError, match="finite"):
        separation([1, math.nan], [True, False])


def test_the_interval_solves_the_equation_of_newcombe() -> None:
    """At either end the observed AUROC is 1.96 standard errors of that end away."""
    rng = np.random.default_rng(4)
    group = np.arange(50) < 20
    ours = separation(rng.normal(size=50) + group, group)
    for end in (ours.low, ours.high):
        spread = 1 + 24 * ((1 - end) / (2 - end) + end / (1 + end))
        error = math.sqrt(end * (1 - end) * spread / (20 * 30))
        assert abs(ours.auroc - end) == pytest.approx(stats.norm.ppf(0.975) * error, rel=1e-6)


def test_nineteen_of_twenty_intervals_hold_the_auroc() -> None:
    """Normal scores of which the AUROC is known: Φ(d / √2)."""
    rng = np.random.default_rng(5)
    true, group = stats.norm.cdf(1 / math.sqrt(2)), np.arange(40) < 15
    held = 0
    for _ in range(300):
        ours = separation(rng.normal(size=40) + group, group, permutations=1)
        held += ours.low <= true <= ours.high
    assert held >= 273, "285 are expected; fewer than 273 have a probability below 0.005"


@pytest.mark.parametrize("size", [4, 5, 8, 20])
def test_a_few_images_in_one_order_make_no_certainty(size: int) -> None:
    """The interval of r = 1 is that of a correlation half as far from 1 as the next smaller one, and ends at 1."""
    numbers = list(range(size))
    turned = [1, 0, *numbers[2:]]
    half = (1 + rank_correlation(numbers, turned).value) / 2
    reach = stats.norm.ppf(0.975) * math.sqrt((1 + half**2 / 2) / (size - 3))
    ours = rank_correlation(numbers, numbers)
    assert (ours.low, ours.high) == pytest.approx((math.tanh(math.atanh(half) - reach), 1))
    opposite = rank_correlation(numbers, numbers[::-1])
    assert (opposite.low, opposite.high) == pytest.approx((-1, -ours.low))


@pytest.mark.parametrize(("size", "others"), [(1, 2), (3, 5), (20, 30)])
def test_a_few_images_that_are_apart_make_no_certainty(size: int, others: int) -> None:
    """The lower end solves (1 - θ)² = 1.96² θ (1 - θ) (...) / mn, the equation of Newcombe at an AUROC of 1."""
    values, group = np.arange(size + others), np.arange(size + others) >= others
    ours = separation(values, group)
    assert ours.auroc == ours.high == 1
    spread = 1 + ((size + others) / 2 - 1) * ((1 - ours.low) / (2 - ours.low) + ours.low / (1 + ours.low))
    error = math.sqrt(ours.low * (1 - ours.low) * spread / (size * others))
    assert 1 - ours.low == pytest.approx(stats.norm.ppf(0.975) * error, rel=1e-6)
    assert 0 < ours.low < 0.95
    opposite = separation(-values, group)
    assert (opposite.auroc, opposite.low, opposite.high) == (0, 0, pytest.approx(1 - ours.low))


@pytest.mark.parametrize("size", [5, 10])
def test_intervals_of_strong_relations_hold_with_few_images(size: int) -> None:
    """Where the sample is often perfect. Of 300, 285 are expected; fewer than 273 have a probability below 0.005."""
    rng = np.random.default_rng(6)
    spearman, area = 6 / math.pi * math.asin(0.45), stats.norm.cdf(2 / math.sqrt(2))
    group = np.arange(size) < round(size / 3)
    correlations = separations = 0
    for _ in range(300):
        a, b = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], size).T
        correlation = rank_correlation(a, b, permutations=1)
        apart = separation(rng.normal(size=size) + 2 * group, group, permutations=1)
        correlations += correlation.low <= spearman <= correlation.high
        separations += apart.low <= area <= apart.high
    assert min(correlations, separations) >= 273


def test_a_perfect_auroc_of_few_images_is_far_from_certain() -> None:
    """One image against two: the end solves 1 - A = 1.96 · √(A (1 - A) (1 + ½ ((1 - A)/(2 - A) + A/(1 + A))) / 2)."""
    ours = separation([3.0, 1, 2], [True, False, False])
    assert (ours.auroc, ours.high) == (1, 1)
    assert 0.1 < ours.low < 0.4
    opposite = separation([-3.0, -1, -2], [True, False, False])
    assert (opposite.low, opposite.high) == (0, pytest.approx(1 - ours.low, abs=1e-6))
