"""Methods compared on the same images: pairs, the best, ranks, superiority, equivalence."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from lumiscope.errors import UsageError
from lumiscope.statistics import (
    best_of,
    compare_methods,
    equivalence_test,
    holm,
    rank_probabilities,
    sign_flip_test,
    superiority,
)

RNG = np.random.default_rng(0)


def test_every_pair_is_tested_and_corrected() -> None:
    scores = RNG.normal([0, 0, 2], 1, (10, 3))
    pairs = compare_methods(scores)
    assert [(pair.first, pair.second) for pair in pairs] == list(itertools.combinations(range(3), 2))
    raw = []
    for pair in pairs:
        difference = scores[:, pair.first] - scores[:, pair.second]
        assert pair.difference == pytest.approx(difference.mean())
        theirs = stats.permutation_test((difference,), np.mean, permutation_type="samples", n_resamples=np.inf)
        assert pair.p_value == pytest.approx(theirs.pvalue)
        interval = stats.ttest_1samp(difference, 0).confidence_interval(1 - 0.05 / 3)
        assert (pair.low, pair.high) == pytest.approx((interval.low, interval.high))
        raw.append(pair.p_value)
    assert [pair.p_adjusted for pair in pairs] == pytest.approx(list(holm(raw)))
    assert pairs[1].p_adjusted < 0.05


def test_the_best_is_above_every_other_or_not_named() -> None:
    scores = RNG.normal([0, 3, 0], 1, (12, 3))
    best = best_of(scores)
    largest = max(sign_flip_test(scores[:, 1] - scores[:, other]) for other in (0, 2))
    assert (best.method, best.mean, best.p_value) == (1, scores[:, 1].mean(), pytest.approx(3 * largest))
    assert best.low < best.mean < best.high
    assert math.isnan(best_of(scores[:, :1]).p_value)


def test_of_methods_that_are_alike_none_is_called_best() -> None:
    """5 % of 200 are 10; more than 19 have a probability below 0.005."""
    rng = np.random.default_rng(1)
    named = sum(best_of(rng.normal(size=(20, 1)) + rng.normal(size=(20, 4))).p_value <= 0.05 for _ in range(200))
    assert named <= 19


def test_superiority_counts_ties_half() -> None:
    known = superiority([1, 2, 3, 4], [0, 2, 4, 3])
    assert known.probability == (1 + 0.5 + 0 + 1) / 4
    assert 0 <= known.low < known.probability < known.high <= 1
    with pytest.raises(UsageError, match="same images"):
        superiority([1, 2], [1])


def test_ranks_of_one_image_are_its_own_and_ties_are_shared() -> None:
    np.testing.assert_allclose(rank_probabilities([[3.0, 1.0, 2.0]]), [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    np.testing.assert_allclose(rank_probabilities([[1.0, 1.0], [2.0, 2.0]]), np.full((2, 2), 0.5))


def test_ranks_of_two_images_can_be_counted() -> None:
    """Resamples of (a, b): aa, ab, ba, bb. The first method wins a by 3 and loses b by 1: first in 3 of 4."""
    shares = rank_probabilities([[3.0, 0.0], [0.0, 1.0]], resamples=40_000)
    np.testing.assert_allclose(shares, [[0.75, 0.25], [0.25, 0.75]], atol=0.01)


def test_equivalence_is_two_one_sided_tests() -> None:
    differences = RNG.normal(0, 0.05, 30)
    known = equivalence_test(differences, 0.05)
    one_sided = [
        stats.ttest_1samp(differences, -0.05, alternative="greater").pvalue,
        stats.ttest_1samp(differences, 0.05, alternative="less").pvalue,
    ]
    assert known.p_value == pytest.approx(max(one_sided))
    interval = stats.ttest_1samp(differences, 0).confidence_interval(0.9)
    assert (known.low, known.high) == pytest.approx((interval.low, interval.high))
    assert known.is_shown == (known.p_value <= 0.05)


def test_no_difference_with_few_images_is_no_equivalence() -> None:
    assert not equivalence_test([0.1, -0.1, 0.05, -0.06], 0.05).is_shown
    assert not equivalence_test([0.0, 0.1], 0.05).is_shown
    with pytest.raises(UsageError, match="margin above 0"):
        equivalence_test([0.1, 0.2, 0.3], 0)


def test_methods_that_differ_by_the_margin_are_called_equal_in_one_of_twenty() -> None:
    """5 % of 400 are 20; more than 32 have a probability below 0.005."""
    rng = np.random.default_rng(2)
    shown = sum(equivalence_test(rng.normal(0.05, 0.1, 25), 0.05).is_shown for _ in range(400))
    assert shown <= 32


def test_images_of_a_class_flip_together() -> None:
    """Ten classes of four like images: each class is one witness, as if it were one image."""
    classes = np.array([0.5, 0.7, -0.2, 1.1, 0.4, 0.9, -0.1, 0.3, 0.8, -0.6])
    together = sign_flip_test(np.repeat(classes, 4), groups=np.repeat(np.arange(10), 4).tolist())
    assert together == sign_flip_test(classes)
    assert sign_flip_test(np.repeat(classes, 4)) < together
    with pytest.raises(UsageError, match="one label per image"):
        sign_flip_test([1.0, 2.0], groups=["a"])


def test_a_tail_goes_on_where_draws_end() -> None:
    """Forty differences of one sign: 2^-40, of which 10,000 draws see nothing."""
    p_value = sign_flip_test(np.linspace(0.5, 1.5, 40))
    assert 2.0**-40 <= p_value < 1e-5
    assert sign_flip_test(np.full(13, 1.0)) >= 2.0**-13
