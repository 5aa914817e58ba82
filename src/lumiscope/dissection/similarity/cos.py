"""Cosine similarity: the plainest comparison of a unit with a concept."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection.similarity.preparation import unit_length
from lumiscope.dissection.similarity.registry import similarity
from lumiscope.types import DoubleArray


@similarity(
    name="cos",
    title="cosine",
    citation="Oikarinen and Weng, CLIP-Dissect, ICLR 2023, section 3.2",
    equation="a·p / (‖a‖ ‖p‖)",
    of_units=unit_length,
    of_concepts=unit_length,
)
def cos(units: DoubleArray, concepts: DoubleArray) -> DoubleArray:
    """Take the cosine of the angle between a unit's activations a and a concept's scores p over the D images.

    `units`: (D, u), `concepts`: (D, k), of length 1. Returns (u, k) float64 in [-1, 1]; NaN where a column is all zero.
    The columns are used raw: two that share only a positive mean look alike.
    """
    return np.asarray(units.T @ concepts)
