"""Intervals of means: against plain re-implementations, scipy, values that can be derived, and their coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from lumiscope.errors import UsageError
from lumiscope.statistics import mean_interval, simultaneous_intervals


def slowly_untransformed(value: float, slope: float) -> float:
    """The t with t + a t² + a² t³ / 3 + a / 2 = value, by bisection; the left side rises with t."""
    low, high = -1e6, 1e6
    for _ in range(200):
        t = (low + high) / 2
        if t + slope * t**2 + slope**2 * t**3 / 3 + slope / 2 < value:
            low = t
        else:
            high = t
    return (low + high) / 2


def slow_student(values: np.ndarray, bounded: bool = True) -> tuple[float, float]:
    """Hall's interval in plain float64; without bounds with the skewness of a long tail, and Student's."""
    n = len(values)
    mean = sum(values) / n
    moments = [sum((value - mean) ** power for value in values) / n for power in (2, 3)]
    error = math.sqrt(moments[0] / (n - 1))
    quantile = stats.t.ppf(0.975, n - 1)
    if bounded:
        slope = moments[1] / (moments[0] * n / (n - 1)) ** 1.5 / (3 * math.sqrt(n))
    else:
        fisher = moments[1] / moments[0] ** 1.5 * math.sqrt(n * (n - 1)) / (n - 2)
        slope = min(fisher * (1 + 3 / n) / (3 * math.sqrt(n)), 3 / (8 * quantile))
    ends = [mean - slowly_untransformed(sign * quantile, slope) * error for sign in (1, -1)]
    if not bounded:
        ends = [min(ends[0], mean - quantile * error), max(ends[1], mean + quantile * error)]
    return ends[0], ends[1]


@pytest.mark.parametrize("size", [5, 10, 40])
def test_the_skewed_interval_is_that_of_hall(size: int) -> None:
    values = np.random.default_rng(size).exponential(size=size)
    assert mean_interval(values, bounds=(0, 99)) == pytest.approx(slow_student(values), rel=1e-9)


@pytest.mark.parametrize("size", [3, 5, 10, 40])
def test_without_bounds_the_tail_may_be_long(size: int) -> None:
    values = np.random.default_rng(size).exponential(size=size)
    assert mean_interval(values) == pytest.approx(slow_student(values, bounded=False), rel=1e-9)
    assert mean_interval(1 - values) == pytest.approx([1 - end for end in mean_interval(values)[::-1]]), "mirrored"


def test_the_further_out_one_value_lies_the_further_out_is_the_end() -> None:
    """In standard errors, up to 4 times Student's: the end of a larger correction would come back."""
    reached = []
    for far in (1, 2, 4, 8, 16, 1e6):
        values = np.r_[np.linspace(-1, 1, 9), far]
        error = values.std(ddof=1) / math.sqrt(10)
        reached.append((mean_interval(values)[1] - values.mean()) / error)
    assert reached == sorted(reached)
    assert 0.99 * 4 < reached[-1] / stats.t.ppf(0.975, 9) <= 4 * 1.05


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("size", [3, 10, 40])
def test_without_skewness_it_is_student_s_as_in_scipy(size: int, confidence: float) -> None:
    values = np.random.default_rng(size).exponential(size=size)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(confidence)
    assert mean_interval(values, skewed=False, confidence=confidence) == pytest.approx((theirs.low, theirs.high))
    symmetric = np.concatenate([values, -values])
    theirs = stats.ttest_1samp(symmetric, 0).confidence_interval(confidence)
    assert mean_interval(symmetric, confidence=confidence) == pytest.approx((theirs.low, theirs.high))


def test_a_paired_difference_is_that_of_ttest_rel() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 12))
    theirs = stats.ttest_rel(first, second).confidence_interval()
    assert mean_interval(first - second, skewed=False) == pytest.approx((theirs.low, theirs.high))


def test_the_skewed_interval_leans_as_that_of_bca() -> None:
    """Both are right to the second order: at either end they are nearer to each other than Student's is to BCa."""
    values = np.random.default_rng(1).exponential(size=100)
    bca = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(0))
    ours, plain = mean_interval(values, bounds=(0, 99)), mean_interval(values, skewed=False)
    for mine, students, theirs in zip(ours, plain, bca.confidence_interval, strict=True):
        assert abs(mine - theirs) < abs(students - theirs) / 2


@pytest.mark.parametrize(("count", "total"), [(0, 5), (1, 10), (3, 10), (10, 10), (40, 100)])
def test_zeros_and_ones_have_jeffreys_interval(count: int, total: int) -> None:
    """The share of k ones of n is Beta(k, n - k + 1/2) with half an unseen 0, Beta(k + 1/2, n - k) with half a 1."""
    values = [1.0] * count + [0.0] * (total - count)
    low = stats.beta.ppf(0.025, count, total - count + 0.5) if count else 0.0
    high = stats.beta.ppf(0.975, count + 0.5, total - count) if count < total else 1.0
    ours = mean_interval(values, bounds=(0, 1))
    assert ours == pytest.approx((low, high), abs=0.01)
    clopper_pearson = stats.binomtest(count, total).proportion_ci(method="exact")
    assert clopper_pearson.low - 0.01 <= ours[0] <= ours[1] <= clopper_pearson.high + 0.01, "which covers more"


def test_the_weighted_interval_is_a_quantile_of_dirichlet_means() -> None:
    """The same slowly, with other draws: the quantile of 20,000 is off by less than a hundredth."""
    values = np.array([0, 0, 0, 0.3, 0.7, 0.5])
    rng = np.random.default_rng(99)
    low, high = [], []
    for _ in range(20_000):
        weights = rng.dirichlet([1.0] * 6 + [0.5])
        seen = sum(weight * value for weight, value in zip(weights, values, strict=False))
        low.append(seen)
        high.append(seen + weights[6] * 2)
    expected = np.quantile(low, 0.025), np.quantile(high, 0.975)
    assert mean_interval(values, bounds=(0, 2)) == pytest.approx(expected, abs=0.012)


def test_bounds_may_be_anywhere() -> None:
    """An affine map of values and bounds is one of the interval."""
    for values in ([0, 0, 0.5, 1], [0.1, 0.2, 0.4, 0.3, 0.9]):
        low, high = mean_interval(values, bounds=(0, 1))
        moved = mean_interval([10 * value - 7 for value in values], bounds=(-7, 3))
        assert moved == pytest.approx((10 * low - 7, 10 * high - 7))


@pytest.mark.parametrize("values", [[0.4], [0.4, 0.5]])
def test_fewer_than_three_images_say_nothing(values: list[float]) -> None:
    assert mean_interval(values, bounds=(0, 1)) == (0, 1)
    assert all(map(math.isnan, mean_interval(values)))
    assert mean_interval(values * 2, bounds=(0, 1), groups=[0, 1] * len(values)) == (0, 1), "nor do two groups"


@pytest.mark.parametrize("bounds", [None, (0, 1)])
@pytest.mark.parametrize("values", [[], [math.nan] * 5, [0.1, 0.2, math.nan, 0.3]])
def test_what_is_not_known_has_no_interval(values: list[float], bounds: tuple[float, float] | None) -> None:
    assert all(map(math.isnan, mean_interval(values, bounds=bounds)))


def test_equal_values_have_an_interval_only_within_bounds() -> None:
    """Twelve of twelve at 0.6: the unseen half has a share of Beta(1/2, 12), and lies at 0 or at 1."""
    assert all(map(math.isnan, mean_interval([0.6] * 12)))
    unseen = stats.beta.ppf(0.975, 0.5, 12)
    expected = 0.6 * (1 - unseen), 0.6 + 0.4 * unseen
    assert mean_interval([0.6] * 12, bounds=(0, 1)) == pytest.approx(expected, abs=0.005)


def test_an_end_keeps_to_the_bounds() -> None:
    values = np.r_[np.linspace(0.001, 0.01, 5), 0.9]
    assert mean_interval(values, skewed=False)[0] < 0
    assert mean_interval(values, skewed=False, bounds=(0, 1))[0] == 0


@pytest.mark.parametrize(("lump", "fewest"), [(0.0, 4), (1.0, 4), (0.5, 5)])
def test_lumps_are_half_of_the_values(lump: float, fewest: int) -> None:
    """Half of ten values are four on a bound and any other number, or five that are one number between the bounds."""
    spread = np.linspace(0.3, 0.8, 10)
    for count in range(fewest - 2, fewest + 2):
        values = np.r_[[lump] * count, spread[count:]]
        student = pytest.approx(np.clip(slow_student(values), 0, 1), rel=1e-6)
        assert (np.array(mean_interval(values, bounds=(0, 1))) == student) == (count < fewest)


def test_the_seed_draws_the_weights() -> None:
    intervals = [mean_interval([0, 0, 1], bounds=(0, 1), seed=seed) for seed in (0, 0, 1)]
    assert intervals[0] == intervals[1] != intervals[2]
    assert intervals[0] == pytest.approx(intervals[2], abs=0.02)


def test_simultaneous_intervals_are_bonferroni_s() -> None:
    values = np.random.default_rng(2).normal(size=(15, 4))
    expected = [mean_interval(column, confidence=1 - 0.05 / 4) for column in values.T]
    assert simultaneous_intervals(values) == pytest.approx(np.array(expected))
    theirs = [stats.ttest_1samp(column, 0).confidence_interval(1 - 0.05 / 4) for column in values.T]
    assert simultaneous_intervals(values, skewed=False) == pytest.approx(np.array(theirs))
    assert simultaneous_intervals(values[:, :1])[0] == pytest.approx(mean_interval(values[:, 0])), "nothing to share"
    assert simultaneous_intervals(values[:, :0]).shape == (0, 2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"confidence": 1}, "confidence between 0 and 1"),
        ({"confidence": 0}, "confidence between 0 and 1"),
        ({"bounds": (1, 0)}, "the lower one first"),
        ({"bounds": (0, math.inf)}, "two finite numbers"),
        ({"bounds": (0, 0.25)}, "outside their bounds"),
        ({"groups": ["a", "b"]}, "got 2 labels for 3 images"),
    ],
)
def test_wrong_arguments_are_said(options: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        mean_interval([0.1, 0.2, 0.3], **options)


@pytest.mark.parametrize(
    ("kind", "mean", "bounds"),
    [("normal", 0, None), ("exponential", 1, None), ("iou", 0.4, (0, 1)), ("half", 0.2, (0, 1)), ("ones", 0.3, (0, 1))],
)
def test_nineteen_of_twenty_hold_the_mean(kind: str, mean: float, bounds: tuple[float, float] | None) -> None:
    """With 30 images; of 400 intervals 380 are expected, fewer than 366 have a probability below 0.005."""
    rng = np.random.default_rng(3)
    draw = {
        "normal": lambda: rng.normal(size=30),
        "exponential": lambda: rng.exponential(size=30),
        "iou": lambda: np.where(rng.random(30) < 0.3, 0, rng.beta(4, 3, 30)),
        "half": lambda: np.where(rng.random(30) < 0.6, 0, rng.random(30)),
        "ones": lambda: (rng.random(30) < 0.3) * 1.0,
    }[kind]
    intervals = [mean_interval(draw(), bounds=bounds) for _ in range(400)]
    assert sum(low <= mean <= high for low, high in intervals) >= 366


def test_the_percentile_bootstrap_would_not_hold() -> None:
    """What stands instead of it: of five normal values its 95 % are 84 %; ours are Student's, exact."""
    rng = np.random.default_rng(4)
    samples = rng.normal(size=(1000, 5))
    shares = rng.multinomial(5, [0.2] * 5, 2000) / 5
    low, high = np.quantile(samples @ shares.T, (0.025, 0.975), axis=1)
    assert np.mean((low <= 0) & (high >= 0)) < 0.88
    ours = [mean_interval(sample, skewed=False) for sample in samples]
    assert np.mean([low <= 0 <= high for low, high in ours]) > 0.93
