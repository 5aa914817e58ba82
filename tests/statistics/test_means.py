"""Intervals of means: against scipy and plain loops, values that can be derived, and how often they hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from lumiscope.errors import UsageError
from lumiscope.statistics import mean_interval, simultaneous_intervals


def test_without_skewness_it_is_students_interval() -> None:
    values = np.random.default_rng(0).normal(3, 2, 20)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert mean_interval(values, confidence=0.9, skewed=False) == pytest.approx((theirs.low, theirs.high))


def test_skewness_is_corrected_as_hall_says() -> None:
    """Each end is where Hall's g of its own t is Student's quantile: g(t) = t + a t² + a² t³ / 3 + a / 2."""
    values = np.random.default_rng(1).exponential(size=15)
    low, high = mean_interval(values)
    mean, error = values.mean(), values.std(ddof=1) / math.sqrt(15)
    a = np.mean(((values - mean) / values.std(ddof=1)) ** 3) / (3 * math.sqrt(15))
    for end, quantile in ((low, 0.975), (high, 0.025)):
        t = (mean - end) / error
        assert t + a * t**2 + a**2 * t**3 / 3 + a / 2 == pytest.approx(stats.t.ppf(quantile, 14))
    assert high - mean > mean - low, "the long tail is on the right"


def test_few_values_say_nothing() -> None:
    assert mean_interval([0.3, 0.4], bounds=(0, 1)) == (0, 1)
    assert all(map(math.isnan, mean_interval([0.3, 0.4])))
    assert all(map(math.isnan, mean_interval([])))
    assert all(map(math.isnan, mean_interval([1.0, math.nan, 2.0, 3.0])))
    assert all(map(math.isnan, mean_interval([2.0] * 10))), "no spread is no certainty, without bounds"


def test_shares_have_about_the_interval_of_jeffreys() -> None:
    """Of 0 and 1 the weights are those of a beta distribution: Beta(k, n - k + ½) and Beta(k + ½, n - k)."""
    values = [1.0] * 6 + [0.0] * 14
    low, high = mean_interval(values, bounds=(0, 1))
    assert low == pytest.approx(stats.beta.ppf(0.025, 6, 14.5), abs=0.01)
    assert high == pytest.approx(stats.beta.ppf(0.975, 6.5, 14), abs=0.01)
    assert mean_interval([0.0] * 10, bounds=(0, 1))[0] == 0
    assert mean_interval([0.0] * 10, bounds=(0, 1))[1] == pytest.approx(stats.beta.ppf(0.975, 0.5, 10), abs=0.01)


def test_bounds_are_kept() -> None:
    low, high = mean_interval([0.01, 0.02, 0.9, 0.5, 0.03, 0.7], bounds=(0, 1))
    assert 0 <= low < high <= 1


def test_groups_of_one_image_change_nothing_and_copies_add_nothing() -> None:
    values = np.random.default_rng(2).normal(size=12)
    alone = mean_interval(values)
    assert mean_interval(values, groups=list(range(12))) == pytest.approx(alone)
    copies = mean_interval(np.repeat(values, 5), groups=np.repeat(np.arange(12), 5).tolist())
    assert copies == pytest.approx(alone)


def test_two_groups_say_nothing_however_many_images() -> None:
    values = np.random.default_rng(3).random(50)
    assert mean_interval(values, bounds=(0, 1), groups=["a"] * 25 + ["b"] * 25) == (0, 1)


def test_many_intervals_hold_together() -> None:
    scores = np.random.default_rng(4).normal(size=(20, 5))
    each = [mean_interval(column, confidence=0.99) for column in scores.T]
    np.testing.assert_allclose(simultaneous_intervals(scores), each)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"confidence": 1.0}, "confidence"),
        ({"bounds": (1, 0)}, "lower one first"),
        ({"bounds": (0, 0.5)}, "outside their bounds"),
        ({"groups": ["a"]}, "one label per image"),
    ],
)
def test_what_makes_no_sense_is_refused(facts: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        mean_interval([0.1, 0.5, 0.9], **facts)


@pytest.mark.parametrize(
    ("draw", "mean", "bounds"),
    [
        (lambda rng: rng.normal(size=12), 0.0, None),
        (lambda rng: rng.exponential(size=12), 1.0, None),
        (lambda rng: rng.beta(0.5, 1.5, 12), 0.25, (0, 1)),
        (lambda rng: np.where(rng.random(12) < 0.3, 0, rng.beta(3, 3, 12)), 0.35, (0, 1)),
    ],
)
def test_about_nineteen_of_twenty_hold_the_mean(draw, mean, bounds) -> None:
    """At 93 % fewer than 360 of 400 have a probability below 0.01; the percentile bootstrap covers 352 on average."""
    rng = np.random.default_rng(5)
    held = 0
    for trial in range(400):
        low, high = mean_interval(draw(rng), bounds=bounds, seed=trial)
        held += low <= mean <= high
    assert held >= 360
