"""Matrices that are read a block of columns at a time: arrays, or files larger than memory."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from lumiscope.files import writing
from lumiscope.types import FloatArray

GATHERED = 2**23  # bytes of rows that are turned into columns at once
SMALL = 2**24  # bytes of a matrix that may stand in memory


class Columns(Protocol):
    """A (D, n) matrix of which blocks of columns can be had: an array, or a `ColumnFile`.

    Whoever takes one uses no more than `shape`, `len()` and `matrix[:, a:b]`.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """(D, n)."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, key: tuple[slice, slice], /) -> NDArray[np.floating[Any]]: ...


class ColumnFile:
    """A (D, n) float32 matrix in a temporary file, column after column; the file goes when this object goes.

    Memory holds no more than the block that is asked for. Errors: `StoreError` where the disk is full.
    """

    def __init__(self, num_rows: int, num_columns: int, folder: Path | None = None) -> None:
        self.shape = (num_rows, num_columns)
        # Unnamed: whatever ends the process, nothing is left behind.
        self._folder = Path(tempfile.gettempdir()) if folder is None else folder
        with writing(self._folder):
            self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as this object
            self._file.truncate(4 * num_rows * num_columns)

    @classmethod
    def from_rows(
        cls, rows: Iterable[FloatArray], num_rows: int, num_columns: int, folder: Path | None = None
    ) -> ColumnFile:
        """Make the matrix of blocks of rows, each (r, n), in order; together they have `num_rows` rows."""
        columns = cls(num_rows, num_columns, folder)
        waiting: list[FloatArray] = []
        start = 0
        for block in rows:
            waiting.append(block)
            if sum(part.nbytes for part in waiting) >= GATHERED:
                start = columns._write(start, np.concatenate(waiting))
                waiting = []
        if waiting:
            start = columns._write(start, np.concatenate(waiting))
        if start != num_rows:
            raise ValueError(f"expected {num_rows} rows; got {start}")
        return columns

    def __len__(self) -> int:
        return self.shape[0]

    @overload
    def __getitem__(self, key: tuple[slice, slice], /) -> FloatArray: ...
    @overload
    def __getitem__(self, key: tuple[slice, int], /) -> FloatArray: ...
    def __getitem__(self, key: tuple[slice, slice] | tuple[slice, int], /) -> FloatArray:
        rows, columns = key
        if isinstance(columns, int):
            return self[rows, columns : columns + 1][:, 0]
        start, stop, step = columns.indices(self.shape[1])
        if step != 1:
            raise IndexError("expected a block of columns that stand side by side")
        self._file.seek(4 * start * self.shape[0])
        block = np.fromfile(self._file, np.float32, max(stop - start, 0) * self.shape[0])
        return block.reshape(-1, self.shape[0]).T[rows]

    def _write(self, start: int, rows: FloatArray) -> int:
        """Put rows in their place; return the number of the next one."""
        with writing(self._folder):
            for column, values in enumerate(np.ascontiguousarray(rows.T)):
                self._file.seek(4 * (column * self.shape[0] + start))
                self._file.write(values.tobytes())
            self._file.flush()
        return start + len(rows)


def columns_from(rows: Iterable[FloatArray], num_rows: int, folder: Path | None = None) -> Columns:
    """The (D, n) matrix of blocks of rows, each (r, n), in order: an array while it is small, else a `ColumnFile`.

    `num_rows`: D, at least 1. `folder`: where the file is made; None: where the system keeps temporary files.
    """
    blocks = iter(rows)
    first = next(blocks)
    num_columns = first.shape[1]
    if 4 * num_rows * num_columns > SMALL:
        return ColumnFile.from_rows(itertools.chain([first], blocks), num_rows, num_columns, folder)
    matrix = np.empty((num_rows, num_columns), np.float32)
    start = 0
    for block in itertools.chain([first], blocks):
        matrix[start : start + len(block)] = block
        start += len(block)
    if start != num_rows:
        raise ValueError(f"expected {num_rows} rows; got {start}")
    return matrix
