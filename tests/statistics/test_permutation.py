"""The sign-flip test: against counting by hand, against scipy, and its error rate where there is nothing to find."""

from __future__ import annotations

import inspect
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import lumiscope.statistics
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.statistics import ALTERNATIVES, sign_flip_test

small_integers = st.lists(st.integers(-20, 20), min_size=1, max_size=8)


def test_three_gains_are_one_pattern_of_eight():
    assert sign_flip_test([1, 2, 3]) == 1 / 8
    assert sign_flip_test([1, 2, 3], alternative="two-sided") == 2 / 8
    assert sign_flip_test([1, 2, 3], alternative="less") == 1
    assert sign_flip_test([-1, -2, -3], alternative="less") == 1 / 8


def test_no_difference_is_no_evidence():
    assert [sign_flip_test([0, 0, 0, 0], alternative=alternative) for alternative in ALTERNATIVES] == [1, 1, 1]


@given(small_integers)
def test_is_the_full_enumeration(differences):
    sums = [np.dot(signs, differences) for signs in itertools.product([1, -1], repeat=len(differences))]
    observed = sum(differences)
    assert sign_flip_test(differences) == np.mean(np.array(sums) >= observed)
    assert sign_flip_test(differences, alternative="two-sided") == np.mean(np.abs(sums) >= abs(observed))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("size", [2, 5, 12])
def test_is_the_exact_test_of_scipy(alternative, size):
    values = np.random.default_rng(size).normal(0.3, 1, size)
    theirs = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", alternative=alternative, n_resamples=np.inf
    )
    assert sign_flip_test(values, alternative=alternative) == pytest.approx(theirs.pvalue, abs=1e-12)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_sampled_patterns_agree_with_all_of_them(alternative):
    values = np.random.default_rng(1).normal(0.3, 1, 16)
    exact = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", alternative=alternative, n_resamples=np.inf
    ).pvalue
    spread = math.sqrt(exact * (1 - exact) / 20_000)
    assert sign_flip_test(values, alternative=alternative, permutations=20_000) == pytest.approx(exact, abs=5 * spread)


def test_twelve_differences_are_counted_and_thirteen_are_drawn():
    """Twelve gains are one pattern of 4,096, whatever the seed; of thirteen 50,000 are drawn, 6.1 of them gains."""
    assert {sign_flip_test([1.0] * 12, seed=seed) for seed in range(5)} == {2**-12}
    drawn = {round(sign_flip_test([1.0] * 13, seed=seed) * 50_001) for seed in range(5)}
    assert len(drawn) > 1
    assert max(drawn) <= 20


def test_equal_sums_are_ties_in_spite_of_rounding():
    # Flipping the two that cancel gives the same sum, but not the same bits.
    assert sign_flip_test([0.1, 0.2, 0.3, -0.3]) == np.mean(
        [a + 2 * b + 3 * c - 3 * d >= 3 for a, b, c, d in itertools.product([1, -1], repeat=4)]
    )


def test_the_smallest_sampled_p_value_counts_the_observed_pattern():
    assert sign_flip_test([1.0] * 60, permutations=999) == 1 / 4996


def test_false_alarms_are_as_rare_as_promised():
    samples = np.random.default_rng(0).normal(0, 1, (500, 20))
    p_values = [sign_flip_test(sample, permutations=500, seed=number) for number, sample in enumerate(samples)]
    # The standard error of 500 trials at 0.05 is 0.01.
    assert 0.02 <= np.mean(np.array(p_values) <= 0.05) <= 0.08


def test_same_seed_same_p_value():
    values = np.random.default_rng(0).normal(0.1, 1, 50)
    assert sign_flip_test(values, seed=7) == sign_flip_test(values, seed=7) != sign_flip_test(values, seed=8)


@pytest.mark.parametrize("differences", [[], [math.nan], [1.0, math.nan]])
def test_undefined_is_nan(differences):
    assert math.isnan(sign_flip_test(differences))


def test_wrong_arguments_are_said():
    with pytest.raises(UnknownNameError, match="did you mean greater"):
        sign_flip_test([1], alternative="great")
    with pytest.raises(UsageError, match="at least 1 permutation; got 0"):
        sign_flip_test([1], permutations=0)


def test_images_of_a_class_flip_together():
    """Ten classes of four like images: each class is one witness, as if it were one image."""
    classes = np.array([0.5, 0.7, -0.2, 1.1, 0.4, 0.9, -0.1, 0.3, 0.8, -0.6])
    together = sign_flip_test(np.repeat(classes, 4), groups=np.repeat(np.arange(10), 4).tolist())
    assert together == sign_flip_test(classes)
    assert sign_flip_test(np.repeat(classes, 4)) < together


def test_more_is_drawn_where_little_is_as_extreme_and_no_tail_is_fitted():
    """Forty differences of one sign: 2^-40, of which 50,000 draws see nothing."""
    assert sign_flip_test(np.linspace(0.5, 1.5, 40)) == 1 / 50_001
    assert sign_flip_test(np.full(13, 1.0)) >= 2.0**-13


@pytest.mark.parametrize("draws", ["permutations", "resamples", "draws"])
def test_ten_thousand_are_drawn_where_nobody_says_how_many(draws: str) -> None:
    functions = [getattr(lumiscope.statistics, name) for name in lumiscope.statistics.__all__]
    drawing = [inspect.signature(function).parameters for function in functions if inspect.isfunction(function)]
    counts = {parameters[draws].default for parameters in drawing if draws in parameters}
    assert counts - {inspect.Parameter.empty} == {10_000}, "as docs/statistics.md says"
