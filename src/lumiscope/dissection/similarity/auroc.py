"""Area under the ROC curve: how often a unit is more active where a concept is than where it is not."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from lumiscope.dissection.similarity.preparation import Matrix, presence
from lumiscope.dissection.similarity.registry import similarity
from lumiscope.dissection.top_images import each_column
from lumiscope.types import DoubleArray


def centred_ranks(activations: Matrix) -> DoubleArray:
    """(D, u) -> (D, u): how many images are less active than this one, ties by half, less what that is on average."""
    middle = (len(activations) + 1) / 2
    return np.stack([rankdata(activation) - middle for activation in each_column(activations)]).T


def weighted_presence(concept_scores: Matrix) -> DoubleArray:
    """(D, k) -> (D, k): presence over the weight of all pairs of images that can be compared."""
    present = presence(concept_scores)
    absent_elsewhere = (1 - present).sum(axis=0) - (1 - present)
    pairs = np.einsum("ik,ik->k", present, absent_elsewhere)
    present /= np.where(pairs > 0, pairs, np.nan)
    return present


@similarity(
    name="auroc",
    title="area under the ROC curve (AUROC)",
    citation="Bamber 1975; as a score of unit labels: Oikarinen et al., ICML 2025",
    equation="Σ p_i (1 - p_j) [a_i > a_j] / Σ p_i (1 - p_j) over pairs of images i ≠ j, with ½ for a_i = a_j",
    minimum_images=2,
    with_fewer="is undefined, since one image cannot be compared with another",
    of_units=centred_ranks,
    of_concepts=weighted_presence,
)
def auroc(ranks: DoubleArray, concepts: DoubleArray) -> DoubleArray:
    """Ask how probably an image with the concept activates the unit more than one without it.

    `ranks`: (D, u). `concepts`: (D, k). Returns (u, k) float64 in [0, 1]; ½ is chance. Presence p may be soft: an image
    counts with weight p among those with the concept and with 1 - p among those without. NaN where it is constant.

    With r_i the number of images less active than i, ties by half, and as [a_i > a_j] + [a_j > a_i] = 1, the sum over
    pairs is Σ p_i r_i - ((Σ p)² - Σ p²) / 2, and that is half the pairs' weight plus Σ p_i (r_i - (D - 1) / 2).
    """
    return np.asarray(0.5 + ranks.T @ concepts)
