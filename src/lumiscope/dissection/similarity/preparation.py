"""Columns made comparable: what several similarities do to activations and concept scores beforehand."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lumiscope.types import DoubleArray

Matrix: TypeAlias = NDArray[np.floating[Any]]


def unit_length(columns: Matrix) -> DoubleArray:
    """Scale each column of (D, n) to length 1; NaN where it is all zero."""
    wide: DoubleArray = columns.astype(np.float64)
    norms = np.linalg.norm(wide, axis=0)
    wide /= np.where(norms > 0, norms, np.nan)
    return wide


def standardised(columns: Matrix) -> DoubleArray:
    """Centre each column of (D, n) and scale it to length 1; NaN where all of it is equal."""
    wide: DoubleArray = columns.astype(np.float64)
    wide -= wide.mean(axis=0)
    norms = np.linalg.norm(wide, axis=0)
    # The mean of equal values may be off by rounding, which would leave columns of nothing but that.
    wide /= np.where(columns.max(axis=0) > columns.min(axis=0), norms, np.nan)
    return wide


def presence(concept_scores: Matrix) -> DoubleArray:
    """How present each concept is in each image, in [0, 1]. `concept_scores`: (D, n), finite.

    A column within [0, 1] is presence as it stands: annotations are 0 or 1, or shares of something. Any other is scaled
    so that its lowest score is 0 and its highest 1. NaN where all of a column is equal: whether a concept that is in
    every image alike, or in none, goes along with a unit is undefined.
    """
    wide: DoubleArray = concept_scores.astype(np.float64)
    lowest, highest = wide.min(axis=0), wide.max(axis=0)
    scaled = (lowest < 0) | (highest > 1)
    wide -= np.where(scaled, lowest, 0)
    wide /= np.where(highest > lowest, np.where(scaled, highest - lowest, 1), np.nan)
    return wide
