"""Shares of things in clusters: against counts by hand, plain tests where clusters are single, and simulated nulls."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom, t

from lumiscope.errors import UsageError
from lumiscope.statistics import (
    ClusteredShare,
    cluster_counts,
    clustered_difference_interval,
    clustered_share_interval,
    clustered_share_test,
)


def whole_clusters(rng, count, size=10, share=0.3):
    """Clusters of equal size whose things are all hits or none."""
    return ClusteredShare.of(np.repeat(rng.random(count) < share, size), np.repeat(np.arange(count), size))


def test_things_are_counted_by_cluster():
    sample = ClusteredShare.of([True, False, True, True], ["a", "a", "b", "a"])
    assert (sample.hits.tolist(), sample.sizes.tolist(), sample.share) == ([2, 1], [3, 1], 0.75)
    with pytest.raises(UsageError, match="each of 1"):
        ClusteredShare.of([True], [])
    assert math.isnan(ClusteredShare.of([], []).share)


def test_clusters_of_things_that_are_all_alike_count_once_each():
    """40 clusters of 10, 12 of them hits: the variance is that of 39 independent things."""
    sample = ClusteredShare.of(np.repeat(np.arange(40) < 12, 10), np.repeat(np.arange(40), 10))
    assert sample.effective_size == pytest.approx(39)
    single = ClusteredShare.of(np.arange(40) < 12, range(40))
    assert single.effective_size == pytest.approx(39)
    assert ClusteredShare.of([False] * 6, [0, 0, 0, 1, 1, 1]).effective_size == 2


def test_the_interval_covers_with_clusters_as_without():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        low, high = clustered_share_interval(whole_clusters(rng, 30))
        covered += low <= 0.3 <= high
    assert 0.93 <= covered / 400 <= 0.985
    assert np.isnan(clustered_share_interval(ClusteredShare.of([], []))).all()
    assert clustered_share_interval(ClusteredShare.of([True] * 5, [0] * 5)) == (0, 1)


@pytest.mark.parametrize("confidence", [0.95, 0.8])
@pytest.mark.parametrize(
    ("hits", "sizes", "effective"),
    [
        ([1, 0, 0, 1, 0], [1, 1, 1, 1, 1], 4),
        ([3, 0, 1], [4, 2, 2], 16 / 3),  # half of 8: ¼ / (3/2 · (1 + 1 + 0) / 64)
        ([0, 0, 0], [4, 2, 2], 64 / 24),
        ([2, 1, 1], [4, 2, 2], 8),  # half of each: no less than as many things
    ],
)
def test_an_end_is_a_share_from_which_ours_is_students_quantile_away(hits, sizes, effective, confidence):
    sample = ClusteredShare(np.array(hits, float), np.array(sizes, float))
    assert sample.effective_size == pytest.approx(effective)
    quantile = t.ppf((1 + confidence) / 2, len(sizes) - 1)
    low, high = clustered_share_interval(sample, confidence)
    for end in (low, high):
        away = quantile * math.sqrt(end * (1 - end) / sample.effective_size)
        assert abs(end - sample.share) == pytest.approx(away, abs=1e-9)
    assert low <= sample.share <= high
    assert low < high


def test_an_end_of_a_difference_is_as_far_off_as_both_ends_together():
    """As Pythagoras adds them: the low end of the second share with the high one of the first, and the other way."""
    first = ClusteredShare(np.array([1.0, 0, 1, 2]), np.array([2.0, 3, 1, 4]))
    second = ClusteredShare(np.array([3.0, 2, 1]), np.array([3.0, 2, 2]))
    ends = [np.array(clustered_share_interval(sample)) - sample.share for sample in (first, second)]
    low, high = clustered_difference_interval(first, second)
    difference = 6 / 7 - 4 / 10
    assert low == pytest.approx(difference - math.hypot(ends[1][0], ends[0][1]))
    assert high == pytest.approx(difference + math.hypot(ends[1][1], ends[0][0]))


def test_the_p_value_is_the_share_of_deals():
    """Sides of 3 and 2 clusters: of the 10 ways to deal them out, those with as different mean shares are counted."""
    first, second = (
        ClusteredShare(np.array([2.0, 3, 1]), np.array([2.0, 3, 4])),
        ClusteredShare(np.array([0.0, 1]), np.array([5.0, 1])),
    )
    shares = [1, 1, 1 / 4, 0, 1]

    def difference(of_first):
        rest = [place for place in range(5) if place not in of_first]
        return np.mean([shares[i] for i in rest]) - np.mean([shares[i] for i in of_first])

    deals = [difference(side) for side in itertools.combinations(range(5), 3)]
    observed, p_value = clustered_share_test(first, second)
    assert observed == pytest.approx(1 / 6 - 6 / 9)
    expected = np.mean(np.abs(deals) >= abs(difference((0, 1, 2))) - 1e-12)
    assert p_value == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 10_000))


def test_a_difference_that_few_large_clusters_make_alone_is_none():
    """Nine single units in ten against one in ten; but 50 alike turn the shares of units around."""
    first = ClusteredShare(np.array([1.0] * 9 + [0]), np.array([1.0] * 9 + [50]))
    second = ClusteredShare(np.array([0.0] * 9 + [50]), np.array([1.0] * 9 + [50]))
    assert clustered_share_test(first, second) == (pytest.approx(50 / 59 - 9 / 59), 1.0)


def test_sides_of_which_one_has_large_clusters_are_called_different_1_time_in_20():
    """Of 60 single units and 4 clusters of 50, and of 260 single ones, a third has the property."""
    rng, found = np.random.default_rng(1), 0
    for seed in range(200):
        sizes = np.array([1.0] * 60 + [50] * 4)
        first = ClusteredShare((rng.random(64) < 1 / 3) * sizes, sizes)
        second = ClusteredShare((rng.random(260) < 1 / 3) * 1.0, np.ones(260))
        found += clustered_share_test(first, second, permutations=400, seed=seed)[1] <= 0.05
    assert found <= 21, "10 on average; more than 21 with a probability of 0.0005"


def test_clusters_that_differ_by_chance_are_called_different_1_time_in_20():
    rng = np.random.default_rng(0)
    p_values = [
        clustered_share_test(whole_clusters(rng, 20), whole_clusters(rng, 25), permutations=400, seed=seed)[1]
        for seed in range(300)
    ]
    assert np.sum(np.array(p_values) <= 0.05) <= binom(300, 0.05).ppf(0.999)
    apart = clustered_share_test(whole_clusters(rng, 40, share=0.1), whole_clusters(rng, 40, share=0.7))
    assert apart[1] < 0.001


def test_one_side_without_clusters_tells_nothing():
    nothing = ClusteredShare.of([], [])
    assert np.isnan(clustered_share_test(nothing, whole_clusters(np.random.default_rng(0), 5))).all()
    with pytest.raises(UsageError, match="got 0"):
        clustered_share_test(nothing, nothing, permutations=0)


def test_a_kind_counts_once_in_each_cluster():
    kinds, clusters = ["fish", "fish", None, "cat", "fish"], [0, 0, 0, 1, 2]
    assert cluster_counts(kinds, clusters) == {"fish": 2, "cat": 1}
    with pytest.raises(UsageError, match="each of 5"):
        cluster_counts(kinds, [])
