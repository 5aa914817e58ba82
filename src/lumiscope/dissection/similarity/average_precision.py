"""Average precision of a unit as a ranking of the images by a concept: the area under precision over recall."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection.similarity.thresholds import (
    FoundPresence,
    PresentConcepts,
    RankArray,
    SortedUnits,
    by_thresholds,
    found_presence,
    threshold_similarity,
)
from lumiscope.types import DoubleArray, FloatArray, IntArray


@threshold_similarity(
    name="average_precision",
    title="average precision (AUPRC)",
    citation="Buckley and Voorhees 2000; as a score of unit labels: Oikarinen et al., ICML 2025",
    equation="Σ over thresholds of (recall - recall at the threshold before) · precision",
)
def average_precision(units: SortedUnits, concepts: PresentConcepts) -> DoubleArray:
    """Average the precision S_n / n at each threshold, weighted with the presence that it adds.

    Returns (u, k) float64 in (0, 1]; NaN where presence is constant. S_n is the presence summed over the n most active
    images; it may be soft. Images with the same activation pass a threshold together. For binary presence it equals
    scikit-learn's `average_precision_score`. Chance is about the mean presence.
    """
    return by_thresholds(units, concepts, _of_any, _of_few)


def _of_any(units: SortedUnits, values: FloatArray, totals: DoubleArray) -> DoubleArray:
    """(u, k): Σ over thresholds of added presence · precision, over all presence."""
    total = np.zeros((units.order.shape[1], values.shape[1]))
    held = np.zeros_like(total)
    inside_tie = False
    for block in found_presence(units, values):
        if not inside_tie and block.ends.all():
            gains = block.rows
            gains *= block.sums
            gains *= 1 / block.reached[:, :1, np.newaxis].astype(np.float32)
            total += gains.sum(axis=0, dtype=np.float64)
        elif block.ends.any():
            total += _gains_at_ends(block, held)
            inside_tie = not block.ends[-1].all()
        else:
            held += block.rows.sum(axis=0, dtype=np.float64)
            inside_tie = True
    return total / totals


def _gains_at_ends(block: FoundPresence, held: DoubleArray) -> DoubleArray:
    """(u, k): the same where images tie: `held`, their presence so far, counts when the last of them is in."""
    gains = np.zeros_like(held)
    for place, ends in enumerate(block.ends):
        held += block.rows[place]
        if not ends.any():
            continue
        added = held if ends.all() else held * ends[:, np.newaxis]
        gains += added * block.sums[place] / block.reached[place, :, np.newaxis]
        held *= ~ends[:, np.newaxis]
    return gains


def _of_few(ranks: RankArray, members: IntArray) -> DoubleArray:
    """(u,): only thresholds at an image with the concept add presence."""
    reached = np.sort(ranks[:, members], axis=1)
    counted = np.broadcast_to(np.arange(1, len(members) + 1), reached.shape).copy()
    # Of images with the same activation, each counts what the last of them finds.
    counted[:, :-1][reached[:, 1:] == reached[:, :-1]] = len(members)
    counted = np.minimum.accumulate(counted[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((counted / reached).mean(axis=1))
