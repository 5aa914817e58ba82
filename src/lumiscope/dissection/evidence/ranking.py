"""The concepts that are most like a unit, best first; those that score alike up to rounding in the order of the set."""

from __future__ import annotations

import numpy as np

from lumiscope.types import DoubleArray, IntArray

ROUNDING = 1e-11  # relative: scores that differ by less are the same number, computed in another order


def best_concepts(scores: DoubleArray, count: int) -> IntArray:
    """(n, count): columns of the highest entries of each row of `scores`, (n, K); -1 where no finite one is left."""
    left = np.where(np.isfinite(scores), scores, -np.inf)
    chosen = np.full((len(left), count), -1)
    rows = np.arange(len(left))
    for place in range(min(count, left.shape[1])):
        highest = left.max(axis=1)
        alike = left >= (highest - rounding(highest))[:, np.newaxis]
        index = alike.argmax(axis=1)
        chosen[:, place] = np.where(np.isfinite(highest), index, -1)
        left[rows, index] = -np.inf
    return chosen


def rounding(scores: DoubleArray) -> DoubleArray:
    """How far two computations of the same score may lie apart; 0 where it is not finite."""
    return np.asarray(ROUNDING * np.abs(np.where(np.isfinite(scores), scores, 0)))
