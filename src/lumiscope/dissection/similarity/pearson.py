"""Pearson correlation: the cosine of the centred columns."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection.similarity.preparation import standardised
from lumiscope.dissection.similarity.registry import similarity
from lumiscope.types import DoubleArray


@similarity(
    name="pearson",
    title="Pearson correlation",
    citation="Pearson 1895; as a score of unit labels: Oikarinen et al., ICML 2025",
    equation="(a - mean a)·(p - mean p) / (‖a - mean a‖ ‖p - mean p‖)",
    minimum_images=3,
    with_fewer="gives 1 or -1 to every concept, since two images always lie on a line",
    of_units=standardised,
    of_concepts=standardised,
)
def pearson(units: DoubleArray, concepts: DoubleArray) -> DoubleArray:
    """Correlate a unit's activations with a concept's scores over the D images.

    `units`: (D, u), `concepts`: (D, k), from `standardised`. Returns (u, k) float64 in [-1, 1]; NaN where a column is
    constant.
    """
    return np.asarray(units.T @ concepts)
