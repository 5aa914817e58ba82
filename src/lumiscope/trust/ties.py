"""Ties in ranks, under one policy: the expected value over all orders of what ties; of curves, whole blocks of ties.

A map with large areas of one value (a ReLU'd CAM, LIME's segments, a constant) says nothing of the order within them.
So no order is made up, neither by the sort nor by a seed.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from lumiscope.types import BoolArray, DoubleArray, IntArray

DIGITS = 12
LEAST = 1e-4  # logits between what matters most and what matters least


def rounded(numbers: DoubleArray, scale: float) -> DoubleArray:
    """(n,) sums or means of values, to 12 digits of `scale`: where they are the same, rounding must not order them."""
    return np.asarray(np.round(numbers / scale, DIGITS) * scale if scale else numbers, np.float64)


def expected_rank_correlation(values: DoubleArray, truth: DoubleArray) -> float:
    """Spearman's correlation of (n,) values with (n,) true numbers, the mean over all orders of tied values.

    A tie breaks with a random order into n different ranks, whose expectation are midranks: so the covariance of
    midranks is divided by the spread of n different ranks, √((n² - 1) / 12), and by that of the truth's midranks. 0 for
    a constant map, which orders nothing. NaN where the truth is constant, and for n < 3.
    """
    count = len(values)
    true_ranks = rankdata(truth)
    if count < 3 or true_ranks.std() == 0:
        return float("nan")
    covariance = np.mean((rankdata(values) - (count + 1) / 2) * (true_ranks - (count + 1) / 2))
    return float(covariance / (np.sqrt((count**2 - 1) / 12) * true_ranks.std()))


def orders(drops: DoubleArray) -> bool:
    """Whether drops of a logit, (n,), order anything: of at least three, and not all the same."""
    return len(drops) >= 3 and float(np.ptp(drops)) >= LEAST


def likeness(a: DoubleArray, b: DoubleArray) -> float:
    """Spearman's correlation of two maps' (n,) cells, of which neither is the truth.

    Ties by midranks, so that a map is perfectly like itself, whatever ties in it. 0 where one of the two is constant,
    as it orders nothing; NaN where both are, or a number is not finite.
    """
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("nan")
    ranks = [rankdata(values) - (len(values) + 1) / 2 for values in (a, b)]
    lengths = [float(np.linalg.norm(centred)) for centred in ranks]
    if 0 in lengths:
        return 0.0 if any(lengths) else float("nan")
    return float(ranks[0] @ ranks[1] / (lengths[0] * lengths[1]))


def at_the_edge(values: DoubleArray, count: int) -> tuple[BoolArray, BoolArray]:
    """Which of (n,) values are above the last of the `count` highest, and which tie with it."""
    edge = np.partition(values, len(values) - count)[len(values) - count]
    return values > edge, values == edge


def expected_share(inside: DoubleArray, values: DoubleArray, count: int) -> float:
    """Which share of the `count` highest of (n,) values is expected inside. `inside`: (n,) in [0, 1].

    Of what ties at the edge, each is taken with the same probability.
    """
    above, at_edge = at_the_edge(values, count)
    taken = inside[above].sum() + (count - above.sum()) * inside[at_edge].mean()
    return float(taken / count)


def tie_blocks(values: DoubleArray, most: int) -> tuple[IntArray, DoubleArray]:
    """Pixels in the order in which they are removed, highest first: whole blocks of ties, at most `most` of them.

    `values`: (H, W). Returns (H, W) the block of each pixel, from 0, and (blocks,) the share of pixels in the blocks up
    to each, the last 1. Where there are more levels than `most`, neighbouring levels go together, so that blocks end
    as near as they can to equal shares.
    """
    levels, level = np.unique(-values, return_inverse=True)
    level = level.reshape(values.shape)
    ends = np.cumsum(np.bincount(level.ravel(), minlength=len(levels))) / values.size
    if len(levels) > most:
        wanted = np.arange(1, most + 1) / most
        after = np.minimum(np.searchsorted(ends, wanted), len(ends) - 1)
        before = np.maximum(after - 1, 0)
        nearest = np.where(np.abs(ends[before] - wanted) <= np.abs(ends[after] - wanted), before, after)
        last = np.unique(np.append(nearest, len(ends) - 1))
        level = np.searchsorted(last, level)
        ends = ends[last]
    return level, ends
