"""Do things that belong together resemble each other more than things that do not? The pairing permutation test."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.statistics.tails import null_p_values
from lumiscope.types import DoubleArray, IntArray

EXACT_UP_TO = 7  # 5,040 pairings
ROUNDING = 1e-12  # sums of the same numbers in another order are the same number
AT_ONCE = 2**20  # indices of permutations that are drawn at a time


def pairing_test(
    likenesses: Sequence[DoubleArray], *, permutations: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Whether the a and the b of one image are more alike than those of different images.

    `likenesses`: square matrices, (m, m) each, of groups of images: row i, column j says how alike the a of image i and
    the b of image j of the group are, such as the IoU of their masks. Returns the mean over different images of one
    group, and the p-value, in (0, 1], of the mean over the diagonals if each a could as well belong to the b of any
    image of its group: up to 7 images in a single group all pairings are counted; else `permutations` are drawn and
    p = (b + 1) / (m + 1), b of m being at least as alike (Phipson and Smyth 2010); where fewer than 10 are, by a tail
    that is fitted to them (`null_p_values`). With n images in one group no p-value is below 1 / n!.
    (NaN, NaN) without images; the mean is NaN and p is 1 where no group has two. Errors: `UsageError` for matrices that
    are not square, or not finite, and for fewer than 1 permutation.
    Source: Fisher 1935, section 21, for the pairing; shuffled images as the null of maps are those of Zhang et al.
    2008, SUN, section 5, "shuffled AUC".
    """
    groups = [np.asarray(matrix, np.float64) for matrix in likenesses if len(matrix)]
    if any(group.ndim != 2 or group.shape[0] != group.shape[1] or not np.isfinite(group).all() for group in groups):
        raise UsageError("a pairing test needs square matrices of finite numbers, images by images")
    if permutations < 1:
        raise UsageError(f"a permutation test needs at least 1 permutation; got {permutations}")
    if not groups:
        return math.nan, math.nan
    together, mean = sum(float(np.trace(group)) for group in groups), mean_of_others(groups)
    least = together - ROUNDING * sum(float(np.abs(group).sum()) for group in groups)
    if len(groups) == 1 and len(groups[0]) <= EXACT_UP_TO:
        pairings = np.array(list(itertools.permutations(range(len(groups[0])))))
        return mean, float(np.mean(_sums(groups[0], pairings) >= least))
    generator = np.random.default_rng(seed)
    rows = max(1, AT_ONCE // sum(map(len, groups)))
    draws = np.concatenate(
        [
            sum((_sums(group, _shuffled(generator, len(group), count)) for group in groups), np.zeros(count))
            for count in _parts(permutations, rows)
        ]
    )
    fewest = math.exp(-sum(math.lgamma(len(group) + 1) for group in groups))
    return mean, max(fewest, float(null_p_values(np.array([least]), draws)[0]))


def mean_of_others(likenesses: Sequence[DoubleArray]) -> float:
    """The mean of what is off the diagonals of square matrices; NaN where no matrix has two rows."""
    others = sum(len(matrix) * (len(matrix) - 1) for matrix in likenesses)
    together = sum(float(np.trace(matrix)) for matrix in likenesses)
    return (sum(float(matrix.sum()) for matrix in likenesses) - together) / others if others else math.nan


def _parts(total: int, size: int) -> list[int]:
    return [min(size, total - start) for start in range(0, total, size)]


def _shuffled(generator: np.random.Generator, size: int, count: int) -> IntArray:
    """(count, size): permutations of 0 to size - 1."""
    return generator.permuted(np.tile(np.arange(size), (count, 1)), axis=1)


def _sums(matrix: DoubleArray, pairings: IntArray) -> DoubleArray:
    """(k,): the sum over i of the entries (i, π(i)) for each of `pairings`, (k, m)."""
    return np.asarray(matrix[np.arange(len(matrix)), pairings].sum(axis=1))
