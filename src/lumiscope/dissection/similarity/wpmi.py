"""Weighted pointwise mutual information between a unit's top images and a concept."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection.similarity.information import (
    MINIMUM_PROBABILITY,
    concept_probabilities,
    mutual_information,
)
from lumiscope.dissection.similarity.registry import Matrix, similarity
from lumiscope.dissection.top_images import most_active_images, sum_over_images
from lumiscope.types import DoubleArray

TOP_IMAGES = 28
SHARPNESS = 2.0
WEIGHT = 0.6


@similarity(
    name="wpmi",
    title="weighted pointwise mutual information (WPMI)",
    citation="Oikarinen and Weng, CLIP-Dissect, ICLR 2023, section 3.2; after Wang et al. 2020; constants of its code",
    equation="L - 0.6 (logsumexp_u L - log U), L = Σ over the top 28 images of log(softmax(2 P) + 1e-7)",
    minimum_images=TOP_IMAGES + 1,
    with_fewer="takes all images as the top images of every unit, so that all units get the same scores",
)
def wpmi(activations: Matrix, concept_scores: Matrix) -> DoubleArray:
    """Ask how probable a concept is on the 28 images that activate a unit most, against the layer's average unit.

    `activations`: (D, U). `concept_scores`: P, (D, K). Returns (U, K) float64. With D < 28 all D images are used.
    """
    log_probabilities = concept_probabilities(concept_scores, SHARPNESS)
    log_probabilities += MINIMUM_PROBABILITY
    np.log(log_probabilities, out=log_probabilities)
    log_likelihood = sum_over_images(log_probabilities, most_active_images(activations, TOP_IMAGES))
    return mutual_information(log_likelihood, WEIGHT)
