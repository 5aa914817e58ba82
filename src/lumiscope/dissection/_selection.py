"""Some of the images and some of the columns of a matrix that is read a block of columns at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.columns import Columns
from lumiscope.types import IntArray

BLOCK_BYTES = 2**25  # of a block in float64


class Selection:
    """The rows and columns asked for of a matrix, as `Columns`, in the order asked for; repeats may occur.

    `rows`, `columns`: indices, or None for all. Nothing is read before a block is asked for.
    """

    def __init__(self, matrix: Columns, rows: IntArray | None = None, columns: IntArray | None = None) -> None:
        self._matrix, self._rows, self._columns = matrix, rows, columns
        num_rows, num_columns = matrix.shape
        self.shape = (
            num_rows if rows is None else len(rows),
            num_columns if columns is None else len(columns),
        )

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: tuple[slice, slice], /) -> NDArray[np.floating[Any]]:
        rows, columns = key
        block = self._columns_of(columns)
        return (block if self._rows is None else block[self._rows])[rows]

    def _columns_of(self, columns: slice) -> NDArray[np.floating[Any]]:
        if self._columns is None:
            return self._matrix[:, columns]
        chosen = self._columns[columns]
        if isinstance(self._matrix, np.ndarray):
            return self._matrix[:, chosen]
        if len(chosen) == 0:
            return self._matrix[:, 0:0]
        # Neighbours are read together: a file has one place to read from.
        runs = np.split(chosen, np.flatnonzero(np.diff(chosen) != 1) + 1)
        return np.concatenate([self._matrix[:, run[0] : run[-1] + 1] for run in runs], axis=1)


def blocks(matrix: Columns, multiple: int = 1) -> Iterator[slice]:
    """Slices over the columns of `matrix` such that `multiple` float64 arrays of a block's size stay small."""
    num_rows, num_columns = matrix.shape
    yield from slices(num_columns, num_rows * multiple)


def slices(count: int, length: int, most_bytes: int = BLOCK_BYTES) -> Iterator[slice]:
    """Slices over `count` things, each of `length` float64 numbers, as many at a time as `most_bytes` hold."""
    size = max(most_bytes // (8 * max(length, 1)), 1)
    edges = [*range(0, count, size), count]
    for start, stop in itertools.pairwise(edges):
        yield slice(start, stop)
