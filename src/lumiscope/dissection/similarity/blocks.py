"""Compare all units with all concepts, a block of columns at a time, on all cores."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from lumiscope.columns import Columns
from lumiscope.types import DoubleArray

if TYPE_CHECKING:
    from lumiscope.dissection.similarity.registry import SimilarityMethod

BLOCK_BYTES = 2**25  # of a block of columns in float64
MOST_COLUMNS = 256
ROWS = 256  # of a block, that fit the processor's cache
HELD_BYTES = 2**27  # of prepared units that all concepts are compared with in one turn

Made = TypeVar("Made")


def compare_blocks(
    method: SimilarityMethod, activations: Columns, concept_scores: Columns, row_totals: DoubleArray | None
) -> DoubleArray:
    """(U, K) float64: what `method` compares, without the layer's average. `row_totals`: (D,), see `unitwise`.

    Units are prepared once, as many as `HELD_BYTES` allow; concepts once for each such turn.
    """
    result = np.empty((activations.shape[1], concept_scores.shape[1]))
    for turn in _turns(method, activations):

        def compare(concepts: slice, scores: NDArray[np.floating[Any]], turn: Any = turn) -> None:
            if row_totals is None:
                block = method.of_concepts(scores)
            else:
                block = _of_log_probabilities(method, scores, row_totals)
            for units, prepared in turn:
                result[units, concepts] = method.compare(prepared, block)

        for _ in in_blocks(compare, concept_scores):
            pass
        turn.clear()  # before the next one is prepared
    return result


def log_totals(concept_scores: Columns, sharpness: float) -> DoubleArray:
    """(D,) float64: log of the sum over all concepts of exp(sharpness · score).

    The terms of float32 scores are float32, which is twice as fast: their errors, 1e-6 of each, cancel in the sum.
    """

    def total(_: slice, scores: NDArray[np.floating[Any]]) -> tuple[DoubleArray, DoubleArray]:
        highest = scores.max(axis=1)
        sums = np.empty(len(scores))
        precision = np.float32 if scores.dtype == np.float32 else np.float64
        for rows in _row_blocks(len(scores)):
            sharp = np.subtract(scores[rows], highest[rows, np.newaxis], dtype=precision)
            sharp *= precision(sharpness)
            np.exp(sharp, out=sharp).sum(axis=1, out=sums[rows], dtype=np.float64)
        return sharpness * highest.astype(np.float64), sums

    highest, sums = np.full(len(concept_scores), -np.inf), np.zeros(len(concept_scores))
    for block_highest, block_sums in in_blocks(total, concept_scores):
        both = np.maximum(highest, block_highest)
        sums = sums * np.exp(highest - both) + block_sums * np.exp(block_highest - both)
        highest = both
    return np.asarray(highest + np.log(sums))


def in_blocks(work: Callable[[slice, NDArray[np.floating[Any]]], Made], matrix: Columns) -> Iterator[Made]:
    """Yield `work(where, columns)` for each block of columns, in order; blocks are worked on side by side."""
    num_rows, num_columns = matrix.shape
    size = min(max(BLOCK_BYTES // (8 * num_rows), 1), MOST_COLUMNS)
    # Blocks of equal size keep all cores busy to the end.
    edges = np.linspace(0, num_columns, -(-num_columns // size) + 1).astype(int).tolist()
    reading = threading.Lock()  # a file has one position

    def read_and_work(where: slice) -> Made:
        with reading:
            columns = matrix[:, where.start : where.stop]
        return work(where, columns)

    return _side_by_side(read_and_work, [slice(*pair) for pair in itertools.pairwise(edges)])


def _side_by_side(work: Callable[[slice], Made], tasks: Iterable[slice]) -> Iterator[Made]:
    """Yield the results in order, with no more tasks begun than there are threads beyond the one that is awaited."""
    tasks = list(tasks)
    num_threads = min(torch.get_num_threads(), len(tasks))
    if num_threads == 1:
        yield from map(work, tasks)
        return
    with ThreadPoolExecutor(num_threads) as pool:
        waiting = [pool.submit(work, task) for task in tasks[:num_threads]]
        for task in tasks[num_threads:]:
            yield waiting.pop(0).result()
            waiting.append(pool.submit(work, task))
        for future in waiting:
            yield future.result()


def _turns(method: SimilarityMethod, activations: Columns) -> Iterator[list[tuple[slice, Any]]]:
    """Prepared blocks of units, in lists that together hold about `HELD_BYTES`."""
    turn: list[tuple[slice, Any]] = []
    held = 0
    for units, prepared in in_blocks(lambda units, columns: (units, method.of_units(columns)), activations):
        turn.append((units, prepared))
        held += sum(array.nbytes for array in (prepared if isinstance(prepared, tuple) else (prepared,)))
        if held >= HELD_BYTES:
            yield turn
            turn, held = [], 0
    if turn:
        yield turn


def _of_log_probabilities(
    method: SimilarityMethod, scores: NDArray[np.floating[Any]], row_totals: DoubleArray
) -> NDArray[np.floating[Any]]:
    """(D, k): what `method` makes of the logarithms of the concepts' probabilities."""
    weights: NDArray[np.floating[Any]] | None = None
    for rows in _row_blocks(len(scores)):
        logs = np.multiply(scores[rows], method.sharpness or 0.0, dtype=np.float64)
        logs -= row_totals[rows, np.newaxis]
        block_weights = method.of_concepts(logs)
        if weights is None:
            weights = np.empty(scores.shape, block_weights.dtype)
        weights[rows] = block_weights
    assert weights is not None, "there is at least one image"
    return weights


def _row_blocks(num_rows: int) -> Iterator[slice]:
    for start in range(0, num_rows, ROWS):
        yield slice(start, start + ROWS)
