"""The probing images on which a unit is most active, and sums over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.columns import Columns
from lumiscope.types import DoubleArray, IntArray

TILE = 64
STRANDS = 4  # for each image wanted: so many that the highest of most of them is no image wanted


def most_active_images(activations: Columns, count: int) -> IntArray:
    """Find for each unit the images with the highest activation, most active first.

    `activations`: (D, U). Returns (U, min(count, D)) indices of images. Ties go to the lower image index; NaN counts
    as less than everything.
    """
    num_images, num_units = activations.shape
    count = min(count, num_images)
    chosen = np.empty((num_units, count), np.int64)
    for unit, activation in enumerate(each_column(activations)):
        chosen[unit] = _most_active(activation, count)
    return chosen


def each_column(matrix: Columns) -> Iterator[NDArray[np.floating[Any]]]:
    """Yield the columns of (D, n), each (D,) in one piece."""
    for start in range(0, matrix.shape[1], TILE):
        block = matrix[:, start : start + TILE]
        # A transpose tile by tile takes a tenth of the time of one in one go, which misses the cache at every element.
        columns = np.empty(block.shape[::-1], block.dtype)
        for row in range(0, len(block), TILE):
            columns[:, row : row + TILE] = block[row : row + TILE].T
        yield from columns


def _most_active(activation: NDArray[np.floating[Any]], count: int) -> IntArray:
    # Sorting only what reaches a threshold is several times faster than sorting all D images, and unlike argpartition
    # it leaves the order of ties to the stable sort.
    threshold = _low_threshold(activation, count)
    candidates = np.arange(len(activation)) if np.isnan(threshold) else np.flatnonzero(activation >= threshold)
    return candidates[np.argsort(-activation[candidates], kind="stable")[:count]]


def _low_threshold(activation: NDArray[np.floating[Any]], count: int) -> float:
    """A value that at least `count` images reach, and not many more: NaN where that is all that can be said."""
    if count == 0:
        return np.nan
    num_strands = STRANDS * count
    if num_strands >= len(activation):
        return float(-np.partition(-activation, count - 1)[count - 1])
    # Each of the `count` best strands has one image at least that reaches its own highest activation.
    whole = len(activation) // num_strands * num_strands
    highest = activation[:whole].reshape(-1, num_strands).max(axis=0)
    return float(-np.partition(-highest, count - 1)[count - 1])


def sum_over_images(values: NDArray[np.floating[Any]], images: IntArray) -> DoubleArray:
    """Sum `values` (D, K) over the images of each unit. `images`: (U, n). Returns (U, K) float64."""
    sums = np.zeros((len(images), values.shape[1]))
    rows = np.empty(sums.shape, values.dtype)
    for chosen in np.ascontiguousarray(images.T):
        # mode="clip" lets take() write straight into `rows`; the indices are always valid.
        sums += np.take(values, chosen, axis=0, out=rows, mode="clip")
    return sums
