"""Methods compared in pairs, and the best of them: against scipy, values that can be derived, and their error rates."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from lumiscope.errors import UsageError
from lumiscope.statistics import (
    ahead_of_all,
    best_of,
    compare_methods,
    mean_test,
    sign_flip_test,
    simultaneous_intervals,
    superiority,
)


@pytest.fixture
def scores() -> np.ndarray:
    return np.random.default_rng(0).normal([0, 0.5, 1], 1, (10, 3))


def slow_sign_flips(differences: np.ndarray, *, two_sided: bool) -> float:
    """Every pattern of signs, one by one."""
    observed, extreme = sum(differences), 0
    for signs in itertools.product((1, -1), repeat=len(differences)):
        flipped = sum(sign * difference for sign, difference in zip(signs, differences, strict=True))
        extreme += (abs(flipped) >= abs(observed) - 1e-12) if two_sided else flipped >= observed - 1e-12
    return extreme / 2 ** len(differences)


def test_pairs_are_tested_as_scipy_tests_them(scores: np.ndarray) -> None:
    comparisons = compare_methods(scores)
    assert [(pair.first, pair.second) for pair in comparisons] == [(0, 1), (0, 2), (1, 2)]
    for pair in comparisons:
        differences = scores[:, pair.first] - scores[:, pair.second]
        theirs = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
        assert pair.p_value == pytest.approx(theirs.pvalue)
        assert pair.p_value == pytest.approx(slow_sign_flips(differences, two_sided=True))
        assert pair.difference == pytest.approx(differences.mean())
        student = stats.ttest_1samp(differences, 0).confidence_interval(1 - 0.05 / 3)
        assert (pair.low, pair.high) == pytest.approx((student.low, student.high)), "Bonferroni's of three pairs"
        assert pair.superiority == superiority(scores[:, pair.first], scores[:, pair.second])


def test_p_values_are_adjusted_by_holm(scores: np.ndarray) -> None:
    comparisons = sorted(compare_methods(scores), key=lambda pair: pair.p_value)
    largest = 0.0
    for number, pair in enumerate(comparisons):
        largest = max(largest, min(1, (3 - number) * pair.p_value))
        assert pair.p_adjusted == pytest.approx(largest)


def test_another_method_does_not_decide_whether_two_differ(scores: np.ndarray) -> None:
    alone, among = compare_methods(scores[:, :2])[0], compare_methods(scores)[0]
    assert (alone.difference, alone.p_value, alone.superiority) == (among.difference, among.p_value, among.superiority)


def test_equal_methods_do_not_differ() -> None:
    column = np.random.default_rng(1).random((12, 1))
    (pair,) = compare_methods(np.hstack([column, column]))
    assert (pair.difference, pair.p_value, pair.p_adjusted, pair.superiority.probability) == (0, 1, 1, 0.5)
    assert math.isnan(pair.low), "no spread, nothing to say"
    assert compare_methods(column) == []


@pytest.mark.parametrize(("size", "fewest"), [(5, 2 / 32), (6, 2 / 64), (10, 2 / 1024)])
def test_what_so_few_images_can_show(size: int, fewest: float) -> None:
    """A method that is better on each of n images has two of 2^n patterns: at most 5 % from 6 images on."""
    better = np.random.default_rng(2).random((size, 2)) + np.array([1, 0])
    assert compare_methods(better)[0].p_value == pytest.approx(fewest)
    pairs = compare_methods(np.random.default_rng(2).random((size, 5)) / 2 + np.arange(5))
    assert max(pair.p_adjusted for pair in pairs) == pytest.approx(10 * fewest if 10 * fewest < 1 else 1)


def test_a_planted_best_is_named() -> None:
    """Better on each of 12 images: one pattern of 4,096 against each other method, twice."""
    rng = np.random.default_rng(3)
    scores = rng.random((12, 4)) + np.array([0, 0, 2, 0])
    best = best_of(scores, bounds=(0, 3))
    assert (best.method, best.mean) == (2, scores[:, 2].mean())
    assert best.p_value == pytest.approx(2 / 4096)
    assert (best.low, best.high) == tuple(simultaneous_intervals(scores, bounds=(0, 3))[2])
    assert best.low > 2


def test_the_best_is_tested_against_the_nearest(scores: np.ndarray) -> None:
    best = best_of(scores)
    differences = [scores[:, best.method] - scores[:, other] for other in (0, 1)]
    rivals = [max(slow_sign_flips(values, two_sided=False), mean_test(values)) for values in differences]
    assert best.method == 2
    assert best.p_value == pytest.approx(min(1, 2 * max(rivals)))


def test_where_one_image_denies_it_the_best_is_not_named() -> None:
    """10 of 11 images say by how much it is ahead, one says the opposite: 12 of 2,048 patterns of signs are as far."""
    scores = np.zeros((11, 2))
    scores[:, 0] = [1] * 10 + [-1]
    assert sign_flip_test(scores[:, 0]) == 12 / 2048
    assert best_of(scores).p_value == 2 * mean_test(scores[:, 0]) > 0.2, "for which differences had to be symmetric"


@pytest.mark.parametrize("kind", ["alike", "two first", "one loud", "in a row", "one error"])
def test_of_candidates_none_of_which_is_first_few_are_named(kind: str) -> None:
    """At 5 % at most 20 of 400 are expected, whatever methods share; more than 32 have a probability of 0.005."""
    named = 0
    for seed in range(400):
        rng = np.random.default_rng([seed, len(kind)])
        scores = rng.normal(size=(30, 5))
        if kind == "two first":
            scores[:, 2:] -= 3
        elif kind == "one loud":
            scores[:, 0] *= 8
        elif kind == "in a row":
            scores = rng.normal(size=(30, 1)) * np.arange(5) + 1e-6 * scores
        elif kind == "one error":
            scores = rng.normal(size=(30, 1)) + 0.1 * scores
        named += best_of(scores).p_value <= 0.05
    assert named <= 32
    assert kind != "two first" or named >= 8, "no less than half of what is allowed"


def test_rivals_may_have_other_images() -> None:
    """All 10 differences to one rival are above 0, and 5 of 5 to the other: 1 in 32 is the larger, twice."""
    rng = np.random.default_rng(0)
    differences = [5 + rng.random(10), 5 + rng.random(5)]
    assert ahead_of_all(differences, [None, None]) == pytest.approx(2 / 32)
    assert ahead_of_all([differences[0], []], [None, None]) == 1
    assert math.isnan(ahead_of_all([], []))


def test_the_best_of_one_has_no_rival() -> None:
    best = best_of(np.array([[1.0], [2.0], [4.0]]))
    assert best.method == 0
    assert math.isnan(best.p_value)
    assert best_of(np.ones((5, 3))).method == 0, "of equal ones the first"
    assert best_of(np.ones((5, 3))).p_value == 1


def test_groups_of_one_image_are_no_groups_and_copies_are_no_images(scores: np.ndarray) -> None:
    singles, repeated, labels = list("abcdefghij"), np.repeat(scores, 3, axis=0), np.repeat(np.arange(10), 3).tolist()
    assert compare_methods(scores, groups=singles) == compare_methods(scores)
    assert best_of(scores, groups=singles) == best_of(scores)
    for once, thrice in zip(compare_methods(scores), compare_methods(repeated, groups=labels), strict=True):
        assert (thrice.low, thrice.high, thrice.p_value) == pytest.approx((once.low, once.high, once.p_value))
    assert best_of(repeated, groups=labels).p_value == pytest.approx(best_of(scores).p_value)


def test_of_exchangeable_methods_none_is_named_and_the_chosen_one_s_interval_holds() -> None:
    """200 studies: 5 % may name one, or miss the mean, 10; more than 19 have a probability below 0.005."""
    rng = np.random.default_rng(4)
    named = missed = different = 0
    for _ in range(200):
        scores = rng.normal(size=(12, 1)) + rng.normal(size=(12, 4))
        best, pairs = best_of(scores), compare_methods(scores[:, :3])
        named += best.p_value <= 0.05
        missed += not best.low <= 0 <= best.high
        different += min(pair.p_adjusted for pair in pairs) <= 0.05
    assert max(named, missed, different) <= 19


def test_intervals_of_all_pairs_hold_together() -> None:
    """400 studies of three methods of known means: 380 are expected, fewer than 366 have a probability below 0.005."""
    rng, held, means = np.random.default_rng(5), 0, np.array([0, 0.3, 0.9])
    for _ in range(400):
        first, second, third = (np.where(rng.random((15, 3)) < 0.3, 0, rng.beta(4, 3, (15, 3))) + means).T
        differences = np.stack([first - second, first - third, second - third], axis=1)
        low, high = simultaneous_intervals(differences, skewed=False).T  # those of `compare_methods`, see above
        held += bool((low <= [-0.3, -0.9, -0.6]).all() and (high >= [-0.3, -0.9, -0.6]).all())
    assert held >= 366


@pytest.mark.parametrize("function", [compare_methods, best_of])
def test_wrong_arguments_are_said(function, scores: np.ndarray) -> None:
    for wrong in (np.ones(3), np.ones((0, 2)), np.array([[1.0, np.nan]])):
        with pytest.raises(UsageError, match="images by methods"):
            function(wrong)
    with pytest.raises(UsageError, match="got 2 labels for 10 images"):
        function(scores, groups=[1, 2])
    with pytest.raises(UsageError, match="confidence between 0 and 1"):
        function(scores, confidence=95)
    with pytest.raises(UsageError, match="outside their bounds"):
        best_of(scores, bounds=(0, 0.1))
