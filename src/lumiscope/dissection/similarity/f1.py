"""F1 score of a unit as a detector of a concept, at the best threshold on its activation."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection.similarity.thresholds import (
    PresentConcepts,
    RankArray,
    SortedUnits,
    by_thresholds,
    found_presence,
    threshold_similarity,
)
from lumiscope.types import DoubleArray, FloatArray, IntArray


@threshold_similarity(
    name="f1",
    title="F1 at the best threshold",
    citation="van Rijsbergen 1979; as a score of unit labels: Oikarinen et al., ICML 2025",
    equation="max over n of 2 S_n / (n + S), S_n the presence summed over the n most active images, S over all",
)
def f1(units: SortedUnits, concepts: PresentConcepts) -> DoubleArray:
    """Ask how well one threshold on the activation separates the images with the concept from the others.

    Returns (u, k) float64 in (0, 1]; NaN where presence is constant. Precision is S_n / n and recall S_n / S; presence
    may be soft. Images with the same activation pass a threshold together. The threshold that all images pass counts,
    so that no score is below 2 S / (D + S), which a frequent concept has with any unit.
    """
    return by_thresholds(units, concepts, _of_any, _of_few)


def _of_any(units: SortedUnits, values: FloatArray, totals: DoubleArray) -> FloatArray:
    best = np.zeros((units.order.shape[1], values.shape[1]), np.float32)
    total = totals.astype(np.float32)
    for block in found_presence(units, values):
        scores, reached = block.sums, block.reached.astype(np.float32)
        if block.ends.all():
            scores *= 1 / (reached[:, :1, np.newaxis] + total)
        elif block.ends.any():
            # Inside a tie the sum is not complete but the count is: too low to be the maximum.
            scores /= reached[:, :, np.newaxis] + total
        else:
            continue
        np.maximum(best, scores.max(axis=0), out=best)
    return np.minimum(2 * best, 1)


def _of_few(ranks: RankArray, members: IntArray) -> DoubleArray:
    """(u,): only thresholds at an image with the concept can be best."""
    reached = np.sort(ranks[:, members], axis=1)
    return np.asarray((2 * np.arange(1, len(members) + 1) / (reached + len(members))).max(axis=1))
