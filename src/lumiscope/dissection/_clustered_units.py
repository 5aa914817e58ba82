"""Shares of the units of layers, in clusters that respond alike: a cluster counts, not each of its units."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lumiscope.dissection.unit_labels import LayerLabels, UnitLabels
from lumiscope.runs import NO_LABEL
from lumiscope.statistics import ClusteredShare
from lumiscope.types import BoolArray, IntArray

Having = Callable[[IntArray], BoolArray]
"""(U,) labels, -1 for none -> (U,) whether a unit is counted."""


def clustered_share(layers: Sequence[LayerLabels], having: Having) -> ClusteredShare:
    """The units of `layers` that have something; those of different layers are in different clusters."""
    sizes = [np.bincount(layer.cluster) for layer in layers]
    hits = [np.bincount(layer.cluster, having(layer.concept)) for layer in layers]
    return ClusteredShare(*(np.concatenate([np.zeros(0), *counts]) for counts in (hits, sizes)))


def in_category(labels: UnitLabels, category: str) -> Having:
    """A label of this category; of `NO_LABEL`: none."""
    if category == NO_LABEL:
        return lambda concept: concept < 0
    members = [number for number, name in enumerate(labels.categories) if name == category]
    return lambda concept: np.isin(concept, members)
