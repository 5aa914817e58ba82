"""Weighted pointwise mutual information between a unit's top images and a concept."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection.similarity.preparation import Matrix
from lumiscope.dissection.similarity.registry import similarity
from lumiscope.dissection.top_images import most_active_images, sum_over_images
from lumiscope.types import DoubleArray, FloatArray, IntArray

TOP_IMAGES = 28
TYPICAL = -8.0  # log of the probability of one concept of 3,000: what lies near it keeps most digits in float32
MINIMUM_PROBABILITY = 1e-7  # keeps the logarithms finite; the value of the published code


def top_images(activations: Matrix) -> IntArray:
    """(D, u) -> (u, n): each unit's 28 most active images, or all there are."""
    return most_active_images(activations, TOP_IMAGES)


def bounded_logs(log_probabilities: DoubleArray) -> FloatArray:
    """(n, k) -> (n, k) float32: log(probability + 1e-7) - TYPICAL, the former written over."""
    bounded = np.exp(log_probabilities, out=log_probabilities)
    bounded += MINIMUM_PROBABILITY
    np.log(bounded, out=bounded)
    bounded -= TYPICAL
    return bounded.astype(np.float32)


@similarity(
    name="wpmi",
    title="weighted pointwise mutual information (WPMI)",
    citation="Oikarinen and Weng, CLIP-Dissect, ICLR 2023, section 3.2; after Wang et al. 2020; constants of its code",
    equation="L - 0.6 (logsumexp_u L - log U), L = Σ over the top 28 images of log(softmax(2 P) + 1e-7)",
    minimum_images=TOP_IMAGES + 1,
    with_fewer="takes all images as the top images of every unit, so that all units get the same scores",
    of_units=top_images,
    of_concepts=bounded_logs,
    sharpness=2.0,
    contrast=0.6,
)
def wpmi(images: IntArray, logs: FloatArray) -> DoubleArray:
    """Ask how probable a concept is on the 28 images that activate a unit most: L.

    `images`: (u, n). `logs`: (D, k). Returns (u, k) float64, within 1e-5. With D < 28 all D images are used.
    """
    sums = sum_over_images(logs, images)
    sums += TYPICAL * images.shape[1]
    return sums
