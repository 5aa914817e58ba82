"""The probing images on which a unit is most active, and sums over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lumiscope.columns import Columns
from lumiscope.types import DoubleArray, IntArray

TILE = (16, 128)  # rows and columns that are transposed at a time: the fastest on the machines tried
STRANDS = 4  # for each image wanted: so many that the highest of most of them is no image wanted
ADDED = 7  # values that are added in their own precision
CROWD = 16  # candidates for each image wanted, from which on a unit is sorted by itself


def most_active_images(activations: Columns, count: int) -> IntArray:
    """Find for each unit the images with the highest activation, most active first.

    `activations`: (D, U). Returns (U, min(count, D)) indices of images. Ties go to the lower image index; NaN counts
    as less than everything.
    """
    num_images, num_units = activations.shape
    count = min(count, num_images)
    chosen = np.empty((num_units, count), np.int64)
    start = 0
    for rows in _transposed_tiles(activations):
        chosen[start : start + len(rows)] = _most_active(rows, count)
        start += len(rows)
    return chosen


def each_column(matrix: Columns) -> Iterator[NDArray[np.floating[Any]]]:
    """Yield the columns of (D, n), each (D,) in one piece."""
    for rows in _transposed_tiles(matrix):
        yield from rows


def _transposed_tiles(matrix: Columns) -> Iterator[NDArray[np.floating[Any]]]:
    """Yield (u, D) arrays: the columns of (D, n) as rows, some at a time."""
    for start in range(0, matrix.shape[1], TILE[1]):
        block = matrix[:, start : start + TILE[1]]
        # A transpose tile by tile takes a tenth of the time of one in one go, which misses the cache at every element.
        rows = np.empty(block.shape[::-1], block.dtype)
        for image in range(0, len(block), TILE[0]):
            rows[:, image : image + TILE[0]] = block[image : image + TILE[0]].T
        yield rows


def _most_active(activations: NDArray[np.floating[Any]], count: int) -> IntArray:
    """(u, count): as `most_active_images`, of units that are rows, (u, D).

    Sorting only what reaches a threshold is several times faster than sorting all D images, and unlike argpartition it
    leaves the order of ties to the stable sort.
    """
    chosen = np.empty((len(activations), count), np.int64)
    reached = activations >= _low_thresholds(activations, count)[:, np.newaxis]
    candidates = np.count_nonzero(reached, axis=1)
    few = (candidates >= count) & (candidates <= CROWD * count)
    # the flat form is ten times as fast as one with two indices
    unit, image = np.divmod(np.flatnonzero(reached[few]), activations.shape[1])
    starts = np.cumsum(candidates[few]) - candidates[few]
    place = np.arange(len(unit)) - starts[unit]
    shape = (int(few.sum()), int(candidates[few].max(initial=count)))
    falling, images = np.full(shape, np.inf, activations.dtype), np.zeros(shape, np.int64)
    falling[unit, place] = -activations[few][unit, image]
    images[unit, place] = image
    order = falling.argsort(axis=1, kind="stable")[:, :count]
    chosen[few] = np.take_along_axis(images, order, axis=1)
    for tied_unit in np.flatnonzero(~few):  # many ties, or NaN
        chosen[tied_unit] = np.argsort(-activations[tied_unit], kind="stable")[:count]
    return chosen


def _low_thresholds(activations: NDArray[np.floating[Any]], count: int) -> NDArray[np.floating[Any]]:
    """(u,): a value that at least `count` images reach, and not many more; NaN where that is all that can be said."""
    num_units, num_images = activations.shape
    if count == 0:
        return np.full(num_units, np.nan, activations.dtype)
    num_strands = min(STRANDS * count, num_images)
    # Each of the `count` best strands has one image at least that reaches its own highest activation.
    whole = num_images // num_strands * num_strands
    highest = activations[:, :whole].reshape(num_units, -1, num_strands).max(axis=1)
    return -np.partition(-highest, count - 1, axis=1)[:, count - 1]


def sum_over_images(values: NDArray[np.floating[Any]], images: IntArray) -> DoubleArray:
    """Sum `values` (D, K) over the images of each unit. `images`: (U, n). Returns (U, K) float64.

    Float32 values are added in float32, seven at a time.
    """
    table, chosen = torch.from_numpy(values), torch.from_numpy(images)
    sums = torch.zeros(len(images), values.shape[1], dtype=torch.float64)
    for start in range(0, images.shape[1], ADDED):
        # gathers and adds in one go: ten times as fast as one after the other
        sums += torch.nn.functional.embedding_bag(chosen[:, start : start + ADDED].contiguous(), table, mode="sum")
    return sums.numpy()
