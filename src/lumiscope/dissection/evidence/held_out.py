"""Does the label hold on images that had no part in choosing it?"""

from __future__ import annotations

import numpy as np

from lumiscope.dissection._selection import Selection, slices
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence.comparison import Comparison
from lumiscope.dissection.evidence.ranking import best_concepts
from lumiscope.dissection.similarity import SIMILARITIES
from lumiscope.dissection.similarity.preparation import presence, standardised
from lumiscope.types import DoubleArray, IntArray

FEWEST_IMAGES = 4


def halves(num_images: int, seed: int) -> tuple[IntArray, IntArray]:
    """Part the images in two halves at random, each in rising order; the first has the odd one."""
    order = generator(seed, "halves").permutation(num_images)
    middle = (num_images + 1) // 2
    return np.sort(order[:middle]), np.sort(order[middle:])


def held_out_scores(comparison: Comparison, seed: int) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    """Choose each unit's concept on one half of the images and look on the other how well it does there.

    The choice is that of the similarity, against the layer's average on that half alone.
    Returns three (U,) arrays: the correlation of activation and concept scores, the average precision of the
    activation against the concept's presence, and the average precision of a random order (the mean presence). NaN
    where a column is constant on its half, where nothing was chosen, and with fewer than 4 images.
    """
    activations, concept_scores = comparison.activations, comparison.concept_scores
    result = np.full((3, activations.shape[1]), np.nan)
    if len(activations) < FEWEST_IMAGES:
        return result[0], result[1], result[2]
    first, second = halves(len(activations), seed)
    chosen = [best_concepts(ranked, 1)[:, 0] for _, ranked in comparison.on_images(first).statistics()]
    concept = np.concatenate(chosen)
    precision = SIMILARITIES["average_precision"]
    for word in np.unique(concept[concept >= 0]):
        units = np.flatnonzero(concept == word)
        scores = Selection(concept_scores, second, np.array([word]))[:, :].astype(np.float64)
        for where in slices(len(units), len(second)):
            some = units[where]
            columns = Selection(activations, second, some)[:, :].astype(np.float64)
            result[0, some] = _correlations(columns, scores)
            result[1, some] = precision.unitwise(columns, scores)[:, 0]
            result[2, some] = presence(scores).mean()
    return result[0], result[1], result[2]


def _correlations(columns: DoubleArray, scores: DoubleArray) -> DoubleArray:
    """(n,): Pearson correlation of each of `columns`, (D, n), with `scores`, (D, 1); NaN where one is constant."""
    return np.asarray(standardised(scores)[:, 0] @ standardised(columns))
