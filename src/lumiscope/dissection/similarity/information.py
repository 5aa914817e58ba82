"""What WPMI and soft WPMI share: concept probabilities of an image, and weighted pointwise mutual information."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logsumexp, softmax

from lumiscope.dissection.similarity.registry import Matrix
from lumiscope.types import DoubleArray

MINIMUM_PROBABILITY = 1e-7
"""Keeps the logarithms finite; the value of the published CLIP-Dissect code."""


def concept_probabilities(concept_scores: Matrix, sharpness: float) -> DoubleArray:
    """Softmax over the concepts of `sharpness` · scores. (D, K) -> (D, K) float64, rows sum to 1."""
    return np.asarray(softmax(concept_scores * np.float64(sharpness), axis=1))


def mutual_information(log_likelihood: DoubleArray, weight: float) -> DoubleArray:
    """Weighted pointwise mutual information L - weight · (logsumexp over the units of L - log U).

    `log_likelihood`: L, (U, K). Returns (U, K). The bracket is how well a concept fits the average unit of the layer,
    so a concept that fits all of them is not everybody's label. Oikarinen and Weng 2023, equation 2.
    """
    average_unit = logsumexp(log_likelihood, axis=0) - math.log(len(log_likelihood))
    return np.asarray(log_likelihood - weight * average_unit)
