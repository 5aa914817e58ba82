"""A matrix in a file gives the blocks that the array gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lumiscope import columns as module
from lumiscope.columns import ColumnFile, columns_from

MATRIX = np.arange(3 * 5, dtype=np.float32).reshape(3, 5)  # no number twice, and more columns than rows


@pytest.mark.parametrize("matrix", [MATRIX, MATRIX.T.copy()], ids=["wide", "tall"])
@pytest.mark.parametrize("gathered", [1, 2**23], ids=["block by block", "at once"])
def test_every_block_is_that_of_the_array(
    matrix: np.ndarray, gathered: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GATHERED", gathered)
    blocks = (matrix[:1], matrix[1:])
    stored = ColumnFile.from_rows(iter(blocks), *matrix.shape, tmp_path)
    assert (stored.shape, len(stored)) == (matrix.shape, len(matrix))
    width = matrix.shape[1]
    for start in range(width):
        for stop in range(start, width + 2):
            np.testing.assert_array_equal(stored[:, start:stop], matrix[:, start:stop])
            np.testing.assert_array_equal(stored[1:, start:stop], matrix[1:, start:stop])
        np.testing.assert_array_equal(stored[:, start], matrix[:, start])
    np.testing.assert_array_equal(stored[:, -2:], matrix[:, -2:])
    assert list(tmp_path.iterdir()) == [], "the file has no name that could be left behind"
    with pytest.raises(IndexError, match="side by side"):
        stored[:, ::2]


@pytest.mark.parametrize(("most", "kind"), [(4 * 15, np.ndarray), (4 * 15 - 1, ColumnFile)])
def test_what_may_stand_in_memory_is_an_array(most: int, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SMALL", most)
    columns = columns_from((MATRIX[row : row + 1] for row in range(3)), 3)
    assert isinstance(columns, kind)
    np.testing.assert_array_equal(columns[:, 0:5], MATRIX)
    with pytest.raises(ValueError, match="expected 4 rows; got 3"):
        columns_from(iter([MATRIX]), 4)
