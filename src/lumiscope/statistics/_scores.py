"""Scores of several methods on the same images."""

from __future__ import annotations

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.types import DoubleArray


def score_matrix(scores: DoubleArray) -> DoubleArray:
    """`scores` as (n, k) float64. Raises UsageError unless it is a finite matrix with at least one image and method."""
    matrix = np.asarray(scores, np.float64)
    if matrix.ndim != 2 or not matrix.size or not np.isfinite(matrix).all():
        raise UsageError(f"methods are compared by a matrix of finite numbers, images by methods; got {matrix.shape}")
    return matrix
