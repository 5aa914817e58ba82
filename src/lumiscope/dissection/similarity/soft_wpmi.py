"""Soft WPMI: each top image belongs to the unit's concept only with a probability."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection.similarity.preparation import Matrix
from lumiscope.dissection.similarity.registry import similarity
from lumiscope.dissection.top_images import most_active_images
from lumiscope.types import DoubleArray, IntArray

TOP_IMAGES = 100
FIRST_MEMBERSHIP, LAST_MEMBERSHIP = 0.998, 0.97
MINIMUM_PROBABILITY = 1e-7  # keeps the logarithms finite; the value of the published code


def top_images(activations: Matrix) -> IntArray:
    """(D, u) -> (u, n): each unit's 100 most active images, or all there are."""
    return most_active_images(activations, TOP_IMAGES)


def probabilities(log_probabilities: DoubleArray) -> DoubleArray:
    """(n, k) -> (n, k), in place."""
    return np.exp(log_probabilities, out=log_probabilities)


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
    of_units=top_images,
    of_concepts=probabilities,
    sharpness=10.0,
    contrast=1.0,
)
def soft_wpmi(images: IntArray, concepts: DoubleArray) -> DoubleArray:
    """Ask how probable a concept is on a unit's top images when image r shows it only with probability p_r.

    `images`: (u, n). `concepts`: their probabilities S, (D, k). Returns L up to a constant, (u, k) float64. With
    D < 100 all D images are used, with the p_r they would have among 100.

    The terms of L are log p_r + log(c_r + S) with c_r = (1 - p_r + 1e-7) / p_r, and Σ log p_r + Σ log c_r, near -430,
    is the same for all units and concepts: it drops out of the result (the contrast is 1) but would cost digits that
    matter. What is left is the log of Π (c_r + S) / Π c_r; the products of 100 factors stay within [1e-190, 1e2], so
    one logarithm serves all 100 images.
    """
    membership = FIRST_MEMBERSHIP - np.arange(images.shape[1]) / TOP_IMAGES * (FIRST_MEMBERSHIP - LAST_MEMBERSHIP)
    floor = (1 - membership + MINIMUM_PROBABILITY) / membership
    products = np.ones((len(images), concepts.shape[1]))
    factors = np.empty_like(products)
    for chosen, least in zip(np.ascontiguousarray(images.T), floor, strict=True):
        # mode="clip" lets take() write straight into `factors`; the indices are always valid.
        np.take(concepts, chosen, axis=0, out=factors, mode="clip")
        factors += least
        products *= factors
    products /= np.prod(floor)
    return np.log(products, out=products)
