"""Images that speak against a label: the unit is active without the concept, or silent with it."""

from __future__ import annotations

import numpy as np

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection
from lumiscope.types import BoolArray, DoubleArray, IntArray

SHOWN = 3
STRONG_SHARE, FEWEST_STRONG = 0.05, 10
PRESENT_SHARE, FEWEST_PRESENT = 0.05, 5
INFLATED_SHARE = 0.1


def counter_examples(activations: Columns, concept_scores: Columns, concept: IntArray) -> tuple[IntArray, IntArray]:
    """Find up to 3 images of either kind for each unit's `concept`, (U,), -1 for none.

    `activations`: (D, U). `concept_scores`: (D, K).
    Active without: among the 5 % of images, or 10, on which the unit is most active, those where the concept is
    absent; the most active first. Silent with: of the images that show the concept most, the 3 with the lowest
    activation, if that is below the unit's median or its lowest of all; the highest score first.
    Where scores are 0 or 1, a concept is absent on images with 0, and those with 1 show it. Else the 5 % of images, or
    5, with the highest scores show it, and it counts as absent where its score is below its median; where one in ten
    images or more share the lowest score, as those have on which it takes no share, it is absent on these alone.
    Returns two (U, 3) arrays of images; -1: there are no more.
    """
    num_units = activations.shape[1]
    active_without, silent_with = np.full((2, num_units, SHOWN), -1)
    for word in np.unique(concept[concept >= 0]):
        scores = Selection(concept_scores, columns=np.array([word]))[:, :][:, 0].astype(np.float64)
        absent, present = _absent_and_present(scores)
        for unit in np.flatnonzero(concept == word):
            activation = activations[:, unit : unit + 1][:, 0].astype(np.float64)
            strong = _highest(activation, max(round(STRONG_SHARE * len(scores)), FEWEST_STRONG))
            without = strong[absent[strong] & (activation[strong] > activation.min())][:SHOWN]
            low = (activation < np.median(activation)) | (activation == activation.min())
            silent = present[low[present]]
            silent = silent[np.lexsort((-scores[silent], activation[silent]))][:SHOWN]
            silent = silent[np.argsort(-scores[silent], kind="stable")]
            active_without[unit, : len(without)] = without
            silent_with[unit, : len(silent)] = silent
    return active_without, silent_with


def _absent_and_present(scores: DoubleArray) -> tuple[BoolArray, IntArray]:
    """Where a concept is absent, (D,) bool, and the images that show it, highest score first."""
    if np.isin(scores, (0, 1)).all():
        return scores == 0, np.flatnonzero(scores == 1)
    present = _highest(scores, max(round(PRESENT_SHARE * len(scores)), FEWEST_PRESENT))
    lowest = scores == scores.min()
    if lowest.mean() < INFLATED_SHARE:
        return scores < np.median(scores), present
    return lowest, present[~lowest[present]]


def _highest(values: DoubleArray, count: int) -> IntArray:
    return np.argsort(-values, kind="stable")[:count]
