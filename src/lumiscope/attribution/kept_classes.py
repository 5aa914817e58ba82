"""The classes of which a method that asks a model many times keeps the probabilities: never all of them."""

from __future__ import annotations

import numpy as np

from lumiscope.types import DoubleArray, IntArray


class KeptClasses:
    """`target`, and the `top` most probable classes of the first picture that is seen, which then stay the same.

    `ranked`: (top,) these, best first; of equal ones the first. `indices`: (k,) all that are kept, each once.
    """

    def __init__(self, target: int, top: int = 0) -> None:
        self.target = target
        self.top = top
        self.ranked: IntArray = np.zeros(0, np.int64)
        self.indices: IntArray | None = None

    def of(self, probabilities: DoubleArray) -> DoubleArray:
        """(n, k) of (n, classes): what is kept, as a copy."""
        if self.indices is None:
            self.ranked = np.argsort(-probabilities[0], kind="stable")[: self.top].astype(np.int64)
            self.indices = np.array(list(dict.fromkeys([self.target, *self.ranked.tolist()])), np.int64)
        return probabilities[:, self.indices]

    def column(self, label: int) -> int:
        """Where a class that is kept stands in `of`."""
        assert self.indices is not None
        return int(np.flatnonzero(self.indices == label)[0])
