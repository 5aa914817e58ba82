"""Units that share a null distribution, because their activations have nearly the same shape."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection.similarity import SimilarityMethod
from lumiscope.types import DoubleArray, IntArray

ALIKE = 0.25  # the standard deviation of a shape within a group that is no longer split
ORDER_ALONE = 2  # the first facts of a shape, which say where values tie
PROBES = 3


def depends_on_values(method: SimilarityMethod, num_images: int) -> bool:
    """Whether a similarity looks at how far activations lie apart, not only at their order.

    Found out by trying: skewed activations and their ranks are compared with a few concepts.
    """
    random = np.random.default_rng(0)
    activations = np.exp(2 * random.normal(size=(num_images, PROBES)))
    ranks = activations.argsort(axis=0).argsort(axis=0).astype(np.float64) + 1
    concept_scores = random.random((num_images, PROBES))
    totals = method.row_totals(concept_scores)
    first, second = (method.unitwise(columns, concept_scores, totals) for columns in (activations, ranks))
    return not np.allclose(first, second, rtol=1e-6, atol=1e-9, equal_nan=True)


def shape_groups(shape: DoubleArray, values_matter: bool, most: int) -> tuple[DoubleArray, list[IntArray]]:
    """Part units into at most `most` groups. `shape`: (n, 8), see `UnitFacts`.

    Returns what the null distribution depends on, (n, f), and the groups, each the indices of its units in order.
    The group and the fact with the greatest sum of squares are split at the group's mean, as long as some group's
    standard deviation exceeds 0.25 (facts are logarithms to the base 2, or shares).
    """
    facts = shape if values_matter else shape[:, :ORDER_ALONE]
    groups = [np.arange(len(facts))]
    while len(groups) < most:
        squares = np.array([_squares(facts[group]) for group in groups])
        worst, fact = np.unravel_index(squares.argmax(), squares.shape)
        if squares[worst, fact] <= 0:
            break
        group = groups.pop(worst)
        low = facts[group, fact] <= facts[group, fact].mean()
        groups += [group[low], group[~low]]
    return facts, sorted(groups, key=lambda group: int(group[0]))


def _squares(facts: DoubleArray) -> DoubleArray:
    """(f,): the sum of squared deviations of each fact; 0 where the group is alike in it."""
    spread = facts.std(axis=0)
    return np.where(spread > ALIKE, len(facts) * spread**2, 0)
