"""Which rank would a method have on other images of the same kind?"""

from __future__ import annotations

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.statistics._scores import score_matrix
from lumiscope.statistics.groups import Groups, grouped
from lumiscope.types import DoubleArray

ROUNDING = 1e-12  # means of the same numbers in another order are the same number
AT_ONCE = 2**20  # numbers of resamples that are drawn at a time


def rank_probabilities(
    scores: DoubleArray, *, groups: Groups | None = None, resamples: int = 10_000, seed: int = 0
) -> DoubleArray:
    """Return (k, k): the share of resamples in which method i (row) has rank j + 1 (column) by its mean.

    `scores`: (n, k), finite, a row per image and a column per method; the highest mean has rank 1. Images, or whole
    `groups` of them, are drawn with replacement, the same for all methods; methods with equal means share their ranks
    evenly. Rows and columns sum to 1. These are no p-values: a method that is no better than another comes first in
    half of the resamples, give or take.
    Raises UsageError for scores that are no finite matrix with at least one image, and for fewer than 1 resample.
    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 6.2; Agarwal et al. 2021.
    """
    matrix = score_matrix(scores)
    if resamples < 1:
        raise UsageError(f"ranks need at least 1 resample; got {resamples}")
    observations, methods = grouped(matrix, groups), matrix.shape[1]
    shares = np.full(len(observations), 1 / len(observations))
    close = ROUNDING * np.abs(matrix).max(initial=0)
    generator = np.random.default_rng(seed)
    totals = np.zeros((methods, methods))
    rows = max(1, AT_ONCE // max(len(observations), methods**2))
    for start in range(0, resamples, rows):
        counts = generator.multinomial(len(observations), shares, min(rows, resamples - start)).astype(np.float64)
        means = counts @ observations.sums / (counts @ observations.sizes)[:, np.newaxis]
        ahead = means[:, np.newaxis] - means[:, :, np.newaxis]  # (rows, i, j): how far method j is ahead of i
        better, equal = (ahead > close).sum(2), (np.abs(ahead) <= close).sum(2)
        for rank in range(methods):
            is_here = (better <= rank) & (rank < better + equal)
            totals[:, rank] += (is_here / equal).sum(0)
    return totals / resamples
