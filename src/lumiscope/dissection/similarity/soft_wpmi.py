"""Soft WPMI, the default: each top image belongs to the unit's concept only with a probability."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection.similarity.information import (
    MINIMUM_PROBABILITY,
    concept_probabilities,
    mutual_information,
)
from lumiscope.dissection.similarity.registry import Matrix, similarity
from lumiscope.dissection.top_images import most_active_images
from lumiscope.types import DoubleArray, IntArray

TOP_IMAGES = 100
SHARPNESS = 10.0
WEIGHT = 1.0
FIRST_MEMBERSHIP, LAST_MEMBERSHIP = 0.998, 0.97


def log_likelihood(activations: Matrix, concept_scores: Matrix) -> DoubleArray:
    """L up to a constant: how well a concept fits a unit's top images, whatever the other units do.

    `activations`: (D, U). `concept_scores`: P, (D, K). Returns (U, K) float64.

    The terms of L are log p_r + log(c_r + S) with c_r = (1 - p_r + 1e-7) / p_r, and Σ log p_r + Σ log c_r, near -430,
    is the same for all units and concepts: it drops out of the result (the weight is 1) but would cost float32 all
    digits that matter. What is left is the log of Π (c_r + S) / Π c_r; the products of 100 factors stay within
    [1e-190, 1e2], so one logarithm serves all 100 images.
    """
    probabilities = concept_probabilities(concept_scores, SHARPNESS)
    images = most_active_images(activations, TOP_IMAGES)
    membership = FIRST_MEMBERSHIP - np.arange(images.shape[1]) / TOP_IMAGES * (FIRST_MEMBERSHIP - LAST_MEMBERSHIP)
    floor = (1 - membership + MINIMUM_PROBABILITY) / membership
    products = _products(probabilities, images, floor)
    products /= np.prod(floor)
    return np.asarray(np.log(products, out=products))


@similarity(
    name="soft_wpmi",
    title="soft weighted pointwise mutual information (SoftWPMI)",
    citation="Oikarinen and Weng, CLIP-Dissect, ICLR 2023, equations 3 and 4; constants of its published code",
    equation=(
        "L - (logsumexp_u L - log U), L = Σ over the top 100 images of log(1 + p_r (softmax(10 P) - 1) + 1e-7), "
        "p_r = 0.998 - r/100 · (0.998 - 0.97)"
    ),
    minimum_images=TOP_IMAGES,
    with_fewer="takes all images as the top images of every unit, so that units differ only by the order of images",
    tie_breaker=log_likelihood,
)
def soft_wpmi(activations: Matrix, concept_scores: Matrix) -> DoubleArray:
    """Ask how probable a concept is on a unit's top images when image r shows it only with probability p_r.

    `activations`: (D, U). `concept_scores`: P, (D, K). Returns (U, K) float64. With D < 100 all D images are used,
    with the p_r they would have among 100.

    No score exceeds log U: a unit that owns a concept reaches it to the last digit of float64, and so it does with all
    concepts that go along with that one. Among these the label is the one with the highest L.
    """
    return mutual_information(log_likelihood(activations, concept_scores), WEIGHT)


def _products(probabilities: DoubleArray, images: IntArray, floor: DoubleArray) -> DoubleArray:
    """(U, K): the product over a unit's images r of `floor`[r] + the concept's probability on that image."""
    products = np.empty((len(images), probabilities.shape[1]))
    factors = np.empty((images.shape[1], probabilities.shape[1]))
    for unit, chosen in enumerate(images):
        # mode="clip" lets take() write straight into `factors`; the indices are always valid.
        np.take(probabilities, chosen, axis=0, out=factors, mode="clip")
        factors += floor[:, np.newaxis]
        np.multiply.reduce(factors, axis=0, out=products[unit])
    return products
