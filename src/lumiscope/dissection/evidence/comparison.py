"""A layer's units compared with all concepts, and what permuted units in their place would score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from lumiscope.columns import Columns
from lumiscope.dissection.evidence.layer_contrast import LayerContrast
from lumiscope.dissection.evidence.seeds import generator
from lumiscope.dissection.evidence.selection import Selection, slices
from lumiscope.dissection.similarity import SimilarityMethod
from lumiscope.types import DoubleArray, IntArray

CHANCE = 2**16  # the stream of the average permuted unit: far from those of groups of units
PERMUTED_BYTES = 2**28  # of permuted columns and their scores: each block of them is met by all concepts once


@dataclass(frozen=True)
class Comparison:
    """What a similarity gives for a layer.

    `activations`: (D, U) of units that are neither constant nor infinite, U >= 1. `concept_scores`: (D, K).
    `row_totals`: (D,) or None, `unitwise`: (U, K), see `SimilarityMethod`. `contrast`: made of `unitwise`.
    """

    method: SimilarityMethod
    activations: Columns
    concept_scores: Columns
    row_totals: DoubleArray | None
    unitwise: DoubleArray
    contrast: LayerContrast

    @classmethod
    def make(
        cls,
        method: SimilarityMethod,
        activations: Columns,
        concept_scores: Columns,
        row_totals: DoubleArray | None = None,
    ) -> Comparison:
        """Compare. `row_totals`: those of all concepts, where they are known already."""
        if row_totals is None:
            row_totals = method.row_totals(concept_scores)
        unitwise = method.unitwise(activations, concept_scores, row_totals)
        contrast = LayerContrast(method, unitwise)
        return cls(method, activations, concept_scores, row_totals, unitwise, contrast)

    def on_images(self, images: IntArray) -> Comparison:
        """The comparison on some of the images alone, its layer average included."""
        activations, scores = Selection(self.activations, images), Selection(self.concept_scores, images)
        totals = None if self.row_totals is None else self.row_totals[images]
        return Comparison.make(self.method, activations, scores, totals)

    def statistics(self) -> Iterator[tuple[slice, DoubleArray]]:
        """Yield blocks of units and the statistic by which each of them ranks the concepts, (n, K)."""
        for where in slices(len(self.unitwise), 4 * self.unitwise.shape[1]):
            units = np.arange(where.start, where.stop)
            yield where, self.contrast.rows(units, self.unitwise[where])

    def permuted(self, units: IntArray, seed: int, *stream: int) -> Iterator[tuple[slice, DoubleArray]]:
        """Yield blocks of draws and what each concept scores, (n, K): each of `units` with its images permuted.

        `units`: (n,), repeats may occur: each has a permutation of its own, which depends on the seed, the stream and
        the place in `units`, on nothing else. NaN is -inf here: what is undefined is not the best.
        """
        num_images, num_concepts = self.concept_scores.shape
        for where in slices(len(units), num_images // 2 + 3 * num_concepts, PERMUTED_BYTES):
            orders = [
                generator(seed, "permutations", *stream, place).permutation(num_images)
                for place in range(where.start, where.stop)
            ]
            columns = self._permuted_columns(units[where], orders)
            scores = self.method.unitwise(columns, self.concept_scores, self.row_totals)
            scores[np.isnan(scores)] = -np.inf
            yield where, scores

    def chance_average(self, seed: int, draws: int) -> DoubleArray:
        """(K,): how well each concept fits the average permuted unit, logsumexp over `draws` of them - log draws.

        Where the similarity has a contrast, this is what is taken off before a unit is compared with chance: the
        average over the layer's own units would make a concept that several units respond to look like chance. The
        exponential of what is left has a mean of 1 over permuted units, whatever the concept, so the chance of t or
        more is at most exp(-t) for rare and for frequent ones. 0 for a similarity without a contrast.
        """
        if not self.method.contrast:
            return np.zeros(self.unitwise.shape[1])
        units = generator(seed, "members", CHANCE).integers(0, len(self.unitwise), draws)
        sums = [logsumexp(scores, axis=0) for _, scores in self.permuted(units, seed, CHANCE)]
        return np.asarray(logsumexp(sums, axis=0) - np.log(draws))

    def _permuted_columns(self, units: IntArray, orders: list[IntArray]) -> NDArray[np.floating[Any]]:
        distinct, copies = np.unique(units, return_inverse=True)
        read = np.asfortranarray(Selection(self.activations, columns=distinct)[:, :])
        columns = np.empty((len(read), len(units)), read.dtype, order="F")
        for place, (copy, order) in enumerate(zip(copies, orders, strict=True)):
            columns[:, place] = read[order, copy]
        return columns
