"""Units that share a null distribution, because their activations have nearly the same shape."""

from __future__ import annotations

import numpy as np

from lumiscope.types import DoubleArray, IntArray

ALIKE = 0.25  # the standard deviation of a shape within a group that is no longer split


def shape_groups(shape: DoubleArray, most: int) -> list[IntArray]:
    """Part units into at most `most` groups. `shape`: (n, 8), see `UnitFacts`.

    Returns the groups, each the indices of its units in order. The group and the fact with the greatest sum of squares
    are split at the group's mean, as long as some group's standard deviation exceeds 0.25 (facts are logarithms to the
    base 2, or shares).
    """
    groups = [np.arange(len(shape))]
    while len(groups) < most:
        squares = np.array([_squares(shape[group]) for group in groups])
        worst, fact = np.unravel_index(squares.argmax(), squares.shape)
        if squares[worst, fact] <= 0:
            break
        group = groups.pop(worst)
        low = shape[group, fact] <= shape[group, fact].mean()
        groups += [group[low], group[~low]]
    return sorted(groups, key=lambda group: int(group[0]))


def _squares(facts: DoubleArray) -> DoubleArray:
    """(f,): the sum of squared deviations of each fact; 0 where the group is alike in it."""
    spread = facts.std(axis=0)
    return np.where(spread > ALIKE, len(facts) * spread**2, 0)
