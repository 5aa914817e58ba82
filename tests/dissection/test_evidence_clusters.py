"""Which units count as one: those with one label, or one response, and who is linked by these."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.dissection.evidence.unit_clusters import unit_clusters


def test_units_with_one_response_or_one_label_are_together():
    """2 is -1 with noise (r² = 0.8), 3 has the label of 0, 4 is 3 up to r² = 0.4, 5 is dead, 6 is by itself."""
    rng = np.random.default_rng(0)
    first, second, third, noise, other = np.linalg.qr(rng.normal(size=(300, 5)))[0].T
    columns = [first, second, -(np.sqrt(0.8) * second + np.sqrt(0.2) * noise), third, np.zeros(300)]
    columns.insert(4, np.sqrt(0.4) * third + np.sqrt(0.6) * other)
    activations = np.column_stack([*columns, rng.normal(size=300)])
    centred = activations - activations.mean(axis=0)
    live = np.array([0, 1, 2, 3, 4, 6])
    correlation = np.corrcoef(centred[:, live].T) ** 2
    assert (correlation[1, 2] > 0.5, correlation[3, 4] < 0.5) == (True, True)
    labels = np.array([7, -1, 2, 7, -1, -1, -1])
    assert unit_clusters(activations, live, labels).tolist() == [0, 1, 1, 0, 2, 3, 4]


def test_a_chain_of_units_is_one_cluster():
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(500, 4))
    activations = np.column_stack([steps[:, 0], steps[:, 0] + 0.6 * steps[:, 1], steps[:, 0] + 1.4 * steps[:, 1]])
    squared = np.corrcoef(activations.T) ** 2
    assert squared[0, 2] < 0.5 < min(squared[0, 1], squared[1, 2])
    assert unit_clusters(activations, np.arange(3), np.full(3, -1)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(("share", "together"), [(0.49, False), (0.51, True)])
def test_units_that_explain_half_of_each_other_are_together(share, together):
    random = np.random.default_rng(0).normal(size=(50, 2))
    _, first, other = np.linalg.qr(np.column_stack([np.ones(50), random]))[0].T
    activations = np.column_stack([first, -np.sqrt(share) * first + np.sqrt(1 - share) * other])
    assert unit_clusters(activations, np.arange(2), np.full(2, -1)).tolist() == [0, int(not together)]
