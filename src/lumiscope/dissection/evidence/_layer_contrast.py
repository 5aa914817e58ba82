"""A unit against the other units of its layer: what a similarity with a contrast takes off each concept."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logsumexp

from lumiscope.dissection._selection import slices
from lumiscope.dissection.similarity import SimilarityMethod
from lumiscope.types import DoubleArray, IntArray


class LayerContrast:
    """How well each concept fits the units of a layer but one, so that another can be put in that one's place.

    Made of `unitwise`, L (U, K), as the similarity gives it. For a similarity without a contrast all it does is to
    hand back L.
    """

    def __init__(self, method: SimilarityMethod, unitwise: DoubleArray) -> None:
        self.weight = method.contrast
        self.num_units = len(unitwise)
        if not self.weight:
            return
        num_concepts = unitwise.shape[1]
        self._leader = unitwise.argmax(axis=0)
        self._all = np.empty(num_concepts)
        self._followers = np.empty(num_concepts)
        self._lead = unitwise[self._leader, np.arange(num_concepts)]
        for where in slices(num_concepts, 2 * self.num_units):
            block = unitwise[:, where].copy()
            self._all[where] = logsumexp(block, axis=0)
            block[self._leader[where], np.arange(block.shape[1])] = -np.inf
            self._followers[where] = logsumexp(block, axis=0)

    def others(self, units: IntArray, unitwise: DoubleArray) -> DoubleArray:
        """(n, K): logsumexp over all units but `units`, (n,). `unitwise`: (n, K), the rows of these units.

        Exact however far one unit stands out: where the unit left out is the one that a concept fits best, the sum
        is that of the others, not a difference of two numbers that agree in all digits.
        """
        if not self.weight:
            return np.zeros((1, 1))
        with np.errstate(divide="ignore"):
            less = self._all + np.log1p(-np.minimum(np.exp(unitwise - self._all), 1 - 1e-16))
        return np.where(self._leader == units[:, np.newaxis], self._followers, less)

    def statistic(self, unitwise: DoubleArray, others: DoubleArray) -> DoubleArray:
        """(n, K): what is compared between concepts and with chance: the similarity, or what rises with it.

        `unitwise`: (n, K). `others`: (n, K), from `others`. With a contrast of 1 the similarity cannot exceed log U,
        and reaches it to the last digit where a concept fits one unit far better than the others; the log odds
        L - `others`, of which it is a rising function, tell such concepts apart. A unit alone in its layer has
        nothing to stand against: its L is returned.
        """
        if not self.weight or self.num_units == 1:
            return unitwise
        if self.weight == 1:
            return unitwise - others
        average = np.logaddexp(others, unitwise) - math.log(self.num_units)
        return np.asarray(unitwise - self.weight * average)

    def rows(self, units: IntArray, unitwise: DoubleArray) -> DoubleArray:
        """(n, K): the statistic of units of this layer. `unitwise`: (n, K), their rows."""
        return self.statistic(unitwise, self.others(units, unitwise))
