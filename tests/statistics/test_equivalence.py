"""Two one-sided tests: against scipy's, values that can be derived, and their error rate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from lumiscope.errors import UsageError
from lumiscope.statistics import equivalence_test, mean_interval


@pytest.mark.parametrize("size", [3, 10, 40])
@pytest.mark.parametrize("shift", [0, 0.2, -0.6])
def test_it_is_the_larger_of_two_one_sided_t_tests(size: int, shift: float) -> None:
    differences = np.random.default_rng(size).normal(shift, 0.5, size)
    result = equivalence_test(differences, 0.4)
    above = stats.ttest_1samp(differences, -0.4, alternative="greater").pvalue
    below = stats.ttest_1samp(differences, 0.4, alternative="less").pvalue
    assert result.p_value == pytest.approx(max(above, below))
    theirs = stats.ttest_1samp(differences, 0).confidence_interval(0.9)
    assert (result.low, result.high) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize("significance", [0.01, 0.05, 0.2])
def test_it_is_shown_exactly_where_the_p_value_is_small(significance: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        result = equivalence_test(rng.normal(0.1, 0.4, 12), 0.4, significance=significance)
        assert result.is_shown == (result.p_value <= significance)


def test_the_smallest_margin_is_the_far_end_of_the_interval() -> None:
    differences = [-0.1, 0.2, 0.3, 0.0, 0.1]
    low, high = mean_interval(differences, confidence=0.9, skewed=False)
    margin = max(-low, high)
    assert equivalence_test(differences, margin).p_value == pytest.approx(0.05)
    assert not equivalence_test(differences, margin * 0.999).is_shown
    assert equivalence_test(differences, margin * 1.001).is_shown


def test_little_is_no_evidence_for_equivalence() -> None:
    """Two images, and three that say as good as nothing: not significant, and not equivalent."""
    for differences in ([0.0, 0.01], [0.3] * 5, [0.1, math.nan, 0.2, 0.3]):
        result = equivalence_test(differences, 1)
        assert math.isnan(result.p_value)
        assert not result.is_shown
    assert not equivalence_test([-1.0, 0, 1], 0.5).is_shown


def test_images_of_a_group_count_once() -> None:
    """Each difference four times is no more evidence than once; without groups it seems to be."""
    differences = np.random.default_rng(1).normal(0, 0.3, 8)
    once = equivalence_test(differences, 0.2)
    labels = np.repeat(np.arange(8), 4).tolist()
    assert equivalence_test(np.repeat(differences, 4), 0.2, groups=labels).p_value == pytest.approx(once.p_value)
    assert equivalence_test(np.repeat(differences, 4), 0.2).p_value < once.p_value
    assert equivalence_test(differences, 0.2, groups=list("abcdefgh")) == once


def test_at_the_margin_one_of_twenty_is_called_equivalent() -> None:
    """Of 600 samples 30 are expected; more than 45 have a probability below 0.005."""
    rng = np.random.default_rng(2)
    assert 15 <= sum(equivalence_test(rng.normal(0.3, 0.3, 15), 0.3).is_shown for _ in range(600)) <= 45


@pytest.mark.parametrize("margin", [0, -1, math.inf, math.nan])
def test_a_margin_is_above_nothing(margin: float) -> None:
    with pytest.raises(UsageError, match="a margin above 0"):
        equivalence_test([1, 2, 3], margin)


@pytest.mark.parametrize("significance", [0, 0.5, 1])
def test_the_significance_is_a_tail(significance: float) -> None:
    with pytest.raises(UsageError, match=r"between 0 and 0\.5"):
        equivalence_test([1, 2, 3], 1, significance=significance)


def test_groups_have_a_label_per_image() -> None:
    with pytest.raises(UsageError, match="got 2 labels for 3 images"):
        equivalence_test([1, 2, 3], 1, groups=[1, 2])
