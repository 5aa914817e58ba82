"""Cosine similarity of the cubed deviations from the mean: the images far from a column's mean decide."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection.similarity.preparation import Matrix
from lumiscope.dissection.similarity.registry import similarity
from lumiscope.types import DoubleArray

MINIMUM_NORM = 1e-3


def centred_cubes(columns: Matrix) -> DoubleArray:
    """Centre each column of (D, n), cube it and scale it to length 1, or by 1 / 1e-3 where it is shorter than that."""
    cubes: DoubleArray = columns.astype(np.float64)
    cubes -= cubes.mean(axis=0)
    # A power of three calls pow() on each element; two products are ten times faster.
    cubes *= cubes * cubes
    cubes /= np.maximum(np.linalg.norm(cubes, axis=0), MINIMUM_NORM)
    return cubes


@similarity(
    name="cos_cubed",
    title="cosine of the cubed columns",
    citation="Oikarinen and Weng, CLIP-Dissect, ICLR 2023, section 3.2; min norm 1e-3 as in its published code",
    equation="â·p̂ with x̂ = (x - mean x)³ / max(‖(x - mean x)³‖, 1e-3)",
    minimum_images=2,
    with_fewer="gives 0 for every concept, since one image does not deviate from its own mean",
    of_units=centred_cubes,
    of_concepts=centred_cubes,
)
def cos_cubed(units: DoubleArray, concepts: DoubleArray) -> DoubleArray:
    """Take the cosine between the element-wise cubes of the centred columns.

    `units`: (D, u), `concepts`: (D, k), from `centred_cubes`. Returns (u, k) float64 in [-1, 1]. A column whose cubes
    have a norm under 1e-3 is divided by 1e-3 instead, so its similarities shrink towards 0; the order of the concepts
    for a unit with small activations is not touched by that, their size is.
    """
    return np.asarray(units.T @ concepts)
