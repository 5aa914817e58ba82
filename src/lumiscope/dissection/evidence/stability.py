"""Would other probing images of the same kind have given the same label? The bootstrap."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection._selection import Selection
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence.comparison import Comparison
from lumiscope.dissection.evidence.ranking import rounding
from lumiscope.types import DoubleArray, IntArray

UNITS_AT_ONCE = 64


def resampled_best(comparison: Comparison, best: IntArray, *, resamples: int, seed: int) -> IntArray:
    """The concept that is first in each bootstrap resample of the images, (U, resamples); -1: none.

    Images of one group are drawn together.

    `best`: (U, n) each unit's most similar concepts, best first, -1 for none: those that may come first; the best ones
    of 63 other units, which are looked at together, may too. The other units of the layer are held as observed.
    Where the unit's best concept ties with the first, as one that occurs on the same images does, it is the first.
    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 6.
    """
    winners = np.full((len(best), resamples), -1)
    tried = np.flatnonzero(best[:, 0] >= 0)
    # Units with the same best concept have much the same rivals: a block of them needs few concepts.
    tried = tried[np.argsort(best[tried, 0], kind="stable")]
    for start in range(0, len(tried), UNITS_AT_ONCE):
        units = tried[start : start + UNITS_AT_ONCE]
        candidates = np.unique(best[units][best[units] >= 0])
        columns = np.ascontiguousarray(Selection(comparison.activations, columns=units)[:, :])
        scores = np.ascontiguousarray(Selection(comparison.concept_scores, columns=candidates)[:, :])
        others = comparison.contrast.others(units, comparison.unitwise[units])
        others = others if others.shape[1] == 1 else others[:, candidates]
        best_columns = np.searchsorted(candidates, best[units, 0])
        for number in range(resamples):
            images = comparison.groups.resampled(generator(seed, "resamples", number))
            totals = None if comparison.row_totals is None else comparison.row_totals[images]
            resampled = comparison.method.unitwise(columns[images], scores[images], totals)
            first = _first(comparison.contrast.statistic(resampled, others), best_columns)
            winners[units, number] = np.where(first >= 0, candidates[first], -1)
    return winners


def _first(scores: DoubleArray, preferred: IntArray) -> IntArray:
    """(n,): the column of the highest entry of each row of `scores`, `own` in a tie; -1 where none is finite."""
    scores = np.where(np.isnan(scores), -np.inf, scores)
    preferred_score, highest = scores[np.arange(len(scores)), preferred], scores.max(axis=1)
    first = np.where(preferred_score >= highest - rounding(highest), preferred, scores.argmax(axis=1))
    return np.where(np.isfinite(highest), first, -1)
