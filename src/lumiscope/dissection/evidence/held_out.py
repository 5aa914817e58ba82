"""Does the label hold on images that had no part in choosing and testing it?"""

from __future__ import annotations

import numpy as np

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection, slices
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence.image_groups import FEWEST_IMAGES, SELECTION_SHARE, ImageGroups
from lumiscope.dissection.similarity import SIMILARITIES
from lumiscope.dissection.similarity.preparation import presence, standardised
from lumiscope.types import DoubleArray, IntArray


def parts(groups: ImageGroups, seed: int, block: int = 1) -> tuple[IntArray, IntArray]:
    """Part the images: two thirds choose and test labels, the others estimate what labels are worth.

    Groups, and `block` neighbouring ones, stay together. Images in rising order. With fewer than 6 images none
    estimate.
    """
    num_images = len(groups.of)
    if num_images < FEWEST_IMAGES:
        return np.arange(num_images), np.arange(0)
    return groups.parted(generator(seed, "parts"), SELECTION_SHARE, block)


def halves(num_images: int, seed: int) -> tuple[IntArray, IntArray]:
    """Part the images in two halves at random, each in rising order; the first has the odd one."""
    return ImageGroups.single(num_images).parted(generator(seed, "halves"), 0.5)


def held_out_scores(
    activations: Columns, concept_scores: Columns, concept: IntArray
) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    """How well each unit's concept does on images that had no part in choosing it.

    `activations`: (D, U), `concept_scores`: (D, K), both on those images. `concept`: (U,), -1 for none.
    Returns three (U,) arrays: the correlation of activation and concept scores, the average precision of the
    activation against the concept's presence, and the average precision of a random order (the mean presence). NaN
    where a column is constant, where nothing was chosen, and with fewer than 2 images.
    """
    result = np.full((3, activations.shape[1]), np.nan)
    if len(activations) < 2:
        return result[0], result[1], result[2]
    precision = SIMILARITIES["average_precision"]
    for word in np.unique(concept[concept >= 0]):
        units = np.flatnonzero(concept == word)
        scores = Selection(concept_scores, columns=np.array([word]))[:, :].astype(np.float64)
        for where in slices(len(units), len(activations)):
            some = units[where]
            columns = Selection(activations, columns=some)[:, :].astype(np.float64)
            result[0, some] = _correlations(columns, scores)
            result[1, some] = precision.unitwise(columns, scores)[:, 0]
            result[2, some] = presence(scores).mean()
    return result[0], result[1], result[2]


def _correlations(columns: DoubleArray, scores: DoubleArray) -> DoubleArray:
    """(n,): Pearson correlation of each of `columns`, (D, n), with `scores`, (D, 1); NaN where one is constant."""
    return np.asarray(standardised(scores)[:, 0] @ standardised(columns))
