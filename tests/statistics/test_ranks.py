"""Ranks as probabilities: against counting by hand, and values that can be derived."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lumiscope.errors import UsageError
from lumiscope.statistics import rank_probabilities


def all_resamples(scores: np.ndarray) -> np.ndarray:
    """(k, k): every one of the n^n resamples, ranked one by one; equal means share their ranks."""
    n, k = scores.shape
    counts = np.zeros((k, k))
    for images in itertools.product(range(n), repeat=n):
        means = [round(sum(scores[image, method] for image in images), 9) for method in range(k)]
        for method in range(k):
            better = sum(mean > means[method] for mean in means)
            equal = sum(mean == means[method] for mean in means)
            counts[method, better : better + equal] += 1 / equal
    return counts / n**n


@pytest.mark.parametrize("ties", [False, True])
def test_it_is_what_all_resamples_say(ties: bool) -> None:
    """5 standard errors of 10,000 resamples are at most 0.025."""
    scores = np.random.default_rng(0).normal(size=(4, 3))
    scores = np.round(scores) if ties else scores
    assert rank_probabilities(scores) == pytest.approx(all_resamples(scores), abs=0.025)


def test_rows_and_columns_are_distributions() -> None:
    shares = rank_probabilities(np.random.default_rng(1).integers(0, 3, (8, 5)), resamples=100)
    assert shares.sum(0) == pytest.approx(np.ones(5))
    assert shares.sum(1) == pytest.approx(np.ones(5))


def test_who_is_always_ahead_is_first() -> None:
    scores = np.random.default_rng(2).random((6, 1)) + np.array([1, 3, 2])
    assert rank_probabilities(scores, resamples=50).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_equal_methods_share_their_ranks() -> None:
    column = np.random.default_rng(3).random((7, 1))
    expected = np.array([[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 1]])
    assert rank_probabilities(np.hstack([column, column, column - 1])) == pytest.approx(expected)
    assert rank_probabilities(column).tolist() == [[1]]


def test_two_images_that_disagree_leave_it_open() -> None:
    """Either image twice: one method is first, 1/4 each; both: level, 1/2."""
    assert rank_probabilities(np.eye(2)) == pytest.approx(np.full((2, 2), 0.5), abs=0.01)


def test_images_of_a_group_are_drawn_together() -> None:
    """Each image four times: as groups they are one image again; by themselves they say more than they do."""
    scores = np.random.default_rng(4).normal([0.3, 0], 1, (6, 2))
    repeated, labels = np.repeat(scores, 4, axis=0), np.repeat(np.arange(6), 4).tolist()
    assert rank_probabilities(repeated, groups=labels) == pytest.approx(rank_probabilities(scores))
    alone, together = (abs(rank_probabilities(repeated, groups=by)[0, 0] - 0.5) for by in (None, labels))
    assert alone > together
    singles = rank_probabilities(scores, groups=list("abcdef"))
    assert singles.tolist() == rank_probabilities(scores).tolist()


def test_the_seed_decides() -> None:
    scores = np.random.default_rng(5).normal(size=(9, 3))
    first, again, other = (rank_probabilities(scores, resamples=200, seed=seed).tolist() for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("scores", [[], [[]], [1.0, 2], [[1.0, np.nan]], [[np.inf, 1.0]]])
def test_scores_are_a_matrix_of_finite_numbers(scores: list) -> None:
    with pytest.raises(UsageError, match="images by methods"):
        rank_probabilities(np.array(scores))


def test_wrong_arguments_are_said() -> None:
    with pytest.raises(UsageError, match="at least 1 resample; got 0"):
        rank_probabilities(np.eye(2), resamples=0)
    with pytest.raises(UsageError, match="got 1 labels for 2 images"):
        rank_probabilities(np.eye(2), groups=["a"])
