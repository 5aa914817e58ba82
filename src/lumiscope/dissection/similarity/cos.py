"""Cosine similarity: the plainest comparison of a unit with a concept."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection.similarity.registry import Matrix, similarity
from lumiscope.types import DoubleArray


@similarity(
    name="cos",
    title="cosine",
    citation="Oikarinen and Weng, CLIP-Dissect, ICLR 2023, section 3.2",
    equation="a·p / (‖a‖ ‖p‖)",
)
def cos(activations: Matrix, concept_scores: Matrix) -> DoubleArray:
    """Take the cosine of the angle between a unit's activations a and a concept's scores p over the D images.

    `activations`: (D, U). `concept_scores`: (D, K). Returns (U, K) float64 in [-1, 1]; NaN where a column is all zero.
    The columns are used raw: two that share only a positive mean look alike.
    """
    return np.asarray(_unit_length(activations).T @ _unit_length(concept_scores))


def _unit_length(columns: Matrix) -> DoubleArray:
    wide: DoubleArray = columns.astype(np.float64)
    norms = np.linalg.norm(wide, axis=0)
    wide /= np.where(norms > 0, norms, np.nan)
    return wide
