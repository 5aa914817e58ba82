"""Units of a layer that respond alike: whoever counts units counts these as one."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection, blocks
from lumiscope.dissection.evidence._partial_correlation import deviations
from lumiscope.types import IntArray

ALIKE = 0.5  # of the variance of one unit's activations that the other's explain


def unit_clusters(activations: Columns, live: IntArray, concept: IntArray) -> IntArray:
    """(U,): the cluster of each unit, numbered from 0 as they come.

    `activations`: (D, U). `live`: the units with finite activations that vary. `concept`: (U,) the label, -1 for none.
    Units are together that have the same label, or whose activations correlate so that one explains at least half of
    the other's variance (|r| >= 0.71), and so are those that are linked by others. A unit that is not live is by
    itself.
    """
    links = [_same(concept), _correlated(activations, live)]
    first, second = np.concatenate(links, axis=1)
    shape = (len(concept), len(concept))
    components = connected_components(coo_matrix((np.ones(len(first)), (first, second)), shape), directed=False)[1]
    order = np.unique(components, return_index=True)[1].argsort().argsort()
    return np.asarray(order[components])


def _same(concept: IntArray) -> IntArray:
    """(2, m): each labelled unit and the first with its label."""
    labelled = np.flatnonzero(concept >= 0)
    _, first, inverse = np.unique(concept[labelled], return_index=True, return_inverse=True)
    return np.stack([labelled[first[inverse]], labelled])


def _correlated(activations: Columns, live: IntArray) -> IntArray:
    """(2, m): pairs of units that explain half of each other's variance."""
    units = Selection(activations, columns=live)
    pairs = [np.zeros((2, 0), np.int64)]
    for where in blocks(units, 4):
        some = deviations(units[:, where])
        for others in blocks(units, 4):
            if others.start < where.start:
                continue
            row, column = np.nonzero((some.T @ deviations(units[:, others])) ** 2 >= ALIKE)
            pairs.append(np.stack([live[row + where.start], live[column + others.start]]))
    return np.concatenate(pairs, axis=1)
