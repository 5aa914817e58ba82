"""Methods compared on the same images: every pair, and the best of all."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.statistics._scores import score_matrix
from lumiscope.statistics.groups import Groups
from lumiscope.statistics.means import simultaneous_intervals
from lumiscope.statistics.multiple import holm
from lumiscope.statistics.permutation import sign_flip_test
from lumiscope.statistics.skewed_mean import mean_test
from lumiscope.statistics.superiority import Superiority, superiority
from lumiscope.types import DoubleArray


@dataclass(frozen=True)
class PairComparison:
    """Two methods, by their columns. `difference`: the mean of the first less that of the second.

    `low`, `high`: its interval; those of all pairs hold together. `p_value`: of the two-sided sign-flip test;
    `p_adjusted`: the same after Holm over all pairs. `superiority`: how often the first is higher on an image, of this
    pair alone.
    """

    first: int
    second: int
    difference: float
    low: float
    high: float
    p_value: float
    p_adjusted: float
    superiority: Superiority


@dataclass(frozen=True)
class Best:
    """The method with the highest mean, by its column. `low`, `high`: an interval that knows it was chosen.

    `p_value`: that it is not above each of the others; the choice is counted. NaN if there is no other.
    """

    method: int
    mean: float
    low: float
    high: float
    p_value: float


def compare_methods(
    scores: DoubleArray, *, confidence: float = 0.95, groups: Groups | None = None, seed: int = 0
) -> list[PairComparison]:
    """Compare every pair of columns of `scores`, (n, k) finite: a row per image, a column per method.

    No rank test over all methods comes first, and none after it: whether two methods differ would depend on which
    others there are (Benavoli, Corani and Mangili 2016, Should We Really Use Post-Hoc Tests Based on Mean-Ranks?).
    Raises UsageError for scores that are no finite matrix with at least one image.
    """
    matrix = score_matrix(scores)
    pairs = list(itertools.combinations(range(matrix.shape[1]), 2))
    differences = np.array([matrix[:, a] - matrix[:, b] for a, b in pairs]).reshape(-1, len(matrix)).T
    intervals = simultaneous_intervals(differences, confidence=confidence, skewed=False, groups=groups, seed=seed)
    p_values = [sign_flip_test(column, alternative="two-sided", groups=groups, seed=seed) for column in differences.T]
    return [
        PairComparison(
            first=a,
            second=b,
            difference=float(column.mean()),
            low=float(low),
            high=float(high),
            p_value=p_value,
            p_adjusted=float(p_adjusted),
            superiority=superiority(matrix[:, a], matrix[:, b], confidence=confidence, groups=groups, seed=seed),
        )
        for (a, b), column, (low, high), p_value, p_adjusted in zip(
            pairs, differences.T, intervals, p_values, holm(p_values), strict=True
        )
    ]


def best_of(
    scores: DoubleArray,
    *,
    bounds: tuple[float, float] | None = None,
    confidence: float = 0.95,
    groups: Groups | None = None,
    seed: int = 0,
) -> Best:
    """Return the column of `scores`, (n, k) finite, with the highest mean; of equal ones the first.

    The interval is that of `simultaneous_intervals` over all k methods. The p-value is `ahead_of_all` against the other
    methods. For the lowest mean, negate the scores.
    Raises UsageError for scores that are no finite matrix with at least one image.
    """
    matrix = score_matrix(scores)
    means = matrix.mean(0)
    best = int(means.argmax())
    low, high = simultaneous_intervals(matrix, bounds=bounds, confidence=confidence, groups=groups, seed=seed)[best]
    others = [matrix[:, best] - column for method, column in enumerate(matrix.T) if method != best]
    p_value = ahead_of_all(others, [groups] * len(others), seed=seed)
    return Best(best, float(means[best]), float(low), float(high), p_value)


def ahead_of_all(
    differences: Sequence[DoubleArray | Sequence[float]], groups: Sequence[Groups | None], *, seed: int = 0
) -> float:
    """Return the p-value that a candidate which the data chose is not above each of its rivals.

    `differences`: for each rival that of the candidate and it, (n,), on the images that both have. `groups`: which of
    these belong together. It is the largest p-value of `mean_test`, 1 for a rival without images, times 2, however many
    rivals there are: where none of the candidates is above all others, at most a share α of studies names one at α. Two
    that are equal may each seem ahead of the other; with a third one, neither is so often ahead of both. NaN without
    rivals.
    Sources: Berger 1982, Multiparameter Hypothesis Testing and Acceptance Sampling (intersection-union); Gutmann and
    Maymin 1987, Is the Selected Population the Best?; Hung and Fithian 2019, Rank Verification for Exponential
    Families.
    """
    p_values = [
        mean_test(of_rival, groups=of_images, seed=seed) if len(of_rival) else 1.0
        for of_rival, of_images in zip(differences, groups, strict=True)
    ]
    return min(1.0, 2 * max(p_values)) if p_values else math.nan
