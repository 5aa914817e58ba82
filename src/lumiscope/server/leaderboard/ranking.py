"""Ranks as intervals: which ones are possible, from scores of the same images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.statistics import mean_test
from lumiscope.types import BoolArray, DoubleArray

LEVEL = 0.05
FEWEST = 3
SPREAD_ROUNDING = 1e-12


@dataclass(frozen=True)
class RankInterval:
    """The ranks, from 1 on, that are possible at 95 %. Printed as "2" or "1–3"."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.low}" if self.low == self.high else f"{self.low}–{self.high}"


def rank_intervals(scores: DoubleArray) -> list[RankInterval]:
    """The possible ranks of each column of `scores`, (n, k) finite: a row per image, a column per entry.

    1 + how many are shown to be better, to k - how many are shown to be worse, so that ties are joined: entries of
    which none is shown to be better share their ranks. One is shown to be better than another by the paired t test over
    the images, two-sided at 5 % divided by the k - 1 comparisons of an entry (Bonferroni): so its interval holds its
    true rank in 95 % of all challenges. Equal differences on all images, and fewer than 3 images, show nothing.
    """
    ahead = shown_ahead(np.asarray(scores, np.float64))
    count = len(ahead)
    return [
        RankInterval(1 + int(better), count - int(worse))
        for better, worse in zip(ahead.sum(0), ahead.sum(1), strict=True)
    ]


def shown_ahead(scores: DoubleArray) -> BoolArray:
    """(k, k): whether entry i (row) is shown to be better than entry j (column).

    These are the intervals of `simultaneous_intervals(skewed=False)` over the differences from one entry, all at once:
    of 700 entries there are 245,000 pairs.
    """
    from scipy.stats import t

    images, count = scores.shape
    if images < FEWEST or count < 2:
        return np.zeros((count, count), np.bool_)
    means = scores.mean(0)
    centred = scores - means
    products = centred.T @ centred
    variances = (np.diag(products)[:, np.newaxis] + np.diag(products) - 2 * products) / (images - 1)
    errors = np.sqrt(np.maximum(variances, 0) / images)
    leads = means[:, np.newaxis] - means
    least = float(t.ppf(1 - LEVEL / 2 / (count - 1), images - 1))
    return np.asarray((errors > SPREAD_ROUNDING**0.5) & (leads > least * errors))


def beyond_random(scores: Sequence[float], random: Sequence[float]) -> str:
    """In words: is an entry better than a random map, on the same images? `scores`, `random`: (n,) each."""
    differences = np.asarray(scores, np.float64) - np.asarray(random, np.float64)
    images = f"{len(differences)} image{'' if len(differences) == 1 else 's'}"
    if 0.5 ** len(differences) > LEVEL:
        return f"cannot be told: {images} can never show that something is better than random"
    if mean_test(differences) <= LEVEL:
        return f"better than random on {images}"
    if mean_test(-differences) <= LEVEL:
        return f"worse than random on {images}"
    return f"not shown to be better than random: {images} do not tell them apart"
