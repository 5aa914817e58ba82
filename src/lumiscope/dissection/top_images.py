"""The probing images on which a unit is most active, and sums over them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lumiscope.types import DoubleArray, IntArray


def most_active_images(activations: NDArray[np.floating[Any]], count: int) -> IntArray:
    """Find for each unit the images with the highest activation, most active first.

    `activations`: (D, U). Returns (U, min(count, D)) indices of images. Ties go to the lower image index; NaN counts
    as less than everything.
    """
    num_images, num_units = activations.shape
    count = min(count, num_images)
    chosen = np.empty((num_units, count), np.int64)
    for unit in range(num_units):
        chosen[unit] = _most_active(np.ascontiguousarray(activations[:, unit]), count)
    return chosen


def _most_active(activation: NDArray[np.floating[Any]], count: int) -> IntArray:
    # Sorting only what reaches the count-th value is several times faster than sorting all D images, and unlike
    # argpartition it leaves the order of ties to the stable sort.
    threshold = -np.partition(-activation, count - 1)[count - 1] if count else np.nan
    candidates = np.arange(len(activation)) if np.isnan(threshold) else np.flatnonzero(activation >= threshold)
    return candidates[np.argsort(-activation[candidates], kind="stable")[:count]]


def sum_over_images(values: DoubleArray, images: IntArray) -> DoubleArray:
    """Sum `values` (D, K) over the images of each unit. `images`: (U, n) without repeats. Returns (U, K) float64."""
    num_units, count = images.shape
    # A sparse 0/1 matrix times the values needs n·K additions per unit instead of the D·K of a dense product.
    chosen = sparse.csr_array(
        (np.ones(images.size), images.ravel(), np.arange(num_units + 1) * count), shape=(num_units, len(values))
    )
    return np.asarray(chosen @ values, np.float64)
