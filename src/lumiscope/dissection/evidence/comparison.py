"""A layer's units compared with all concepts, and what permuted units in their place would score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection, slices
from lumiscope.dissection.evidence._layer_contrast import LayerContrast
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence.image_groups import ImageGroups
from lumiscope.dissection.similarity import SimilarityMethod
from lumiscope.dissection.similarity.preparation import standardised
from lumiscope.types import DoubleArray, IntArray

PERMUTED_BYTES = 2**26  # of permuted columns and their scores: each block of them is met by all concepts once


@dataclass(frozen=True)
class Comparison:
    """What a similarity gives for a layer.

    `activations`: (D, U) of units that are neither constant nor infinite, U >= 1. `concept_scores`: (D, K).
    `row_totals`: (D,) or None, `unitwise`: (U, K), see `SimilarityMethod`. `contrast`: made of `unitwise`. `groups`: of
    the images. `blocks`: (U,) over how many neighbouring groups of images a unit is alike, see `block_lengths`.
    """

    method: SimilarityMethod
    activations: Columns
    concept_scores: Columns
    row_totals: DoubleArray | None
    unitwise: DoubleArray
    contrast: LayerContrast
    groups: ImageGroups
    blocks: IntArray

    @classmethod
    def make(
        cls,
        method: SimilarityMethod,
        activations: Columns,
        concept_scores: Columns,
        row_totals: DoubleArray | None = None,
        groups: ImageGroups | None = None,
        blocks: IntArray | None = None,
    ) -> Comparison:
        """Compare. `row_totals`: those of all concepts, where they are known already.

        `groups`, `blocks`: None: each image is a group by itself, and neighbours are not alike.
        """
        if row_totals is None:
            row_totals = method.row_totals(concept_scores)
        unitwise = method.unitwise(activations, concept_scores, row_totals)
        contrast = LayerContrast(method, unitwise)
        groups = ImageGroups.single(len(activations)) if groups is None else groups
        blocks = np.ones(activations.shape[1], np.int64) if blocks is None else blocks
        return cls(method, activations, concept_scores, row_totals, unitwise, contrast, groups, blocks)

    def statistics(self) -> Iterator[tuple[slice, DoubleArray]]:
        """Yield blocks of units and the statistic by which each of them ranks the concepts, (n, K)."""
        for where in slices(len(self.unitwise), 4 * self.unitwise.shape[1]):
            units = np.arange(where.start, where.stop)
            yield where, self.contrast.rows(units, self.unitwise[where])

    def permuted(
        self, units: IntArray, seed: int, *stream: int
    ) -> Iterator[tuple[slice, NDArray[np.floating[Any]], DoubleArray]]:
        """Yield blocks of draws: each of `units` with its images permuted, and how it ranks the concepts.

        `units`: (n,), repeats may occur: each has a permutation of its own, of groups, which depends on the
        seed, the stream and the place in `units`, on nothing else. Yields the places in `units`, the permuted columns
        (D, m), and the statistic (m, K) as in `statistics`, each in the place of its unit among the layer's. NaN is
        -inf here: what is undefined is not the best.
        """
        num_images, num_concepts = self.concept_scores.shape
        for where in slices(len(units), 3 * (num_images + num_concepts), PERMUTED_BYTES):
            orders = [
                self.groups.permuted(generator(seed, "permutations", *stream, place))
                for place in range(where.start, where.stop)
            ]
            columns = self._permuted_columns(units[where], orders)
            scores = self.method.unitwise(columns, self.concept_scores, self.row_totals)
            others = self.contrast.others(units[where], self.unitwise[units[where]])
            statistic = self.contrast.statistic(scores, others)
            yield where, columns, np.where(np.isnan(statistic), -np.inf, statistic)

    def correlations(self, columns: NDArray[np.floating[Any]], concepts: IntArray) -> DoubleArray:
        """(n,): Pearson correlation of each of `columns`, (D, n), with the scores of its concept; 0 where undefined.

        `concepts`: (n,), -1 for none.
        """
        words, place = np.unique(concepts, return_inverse=True)
        scores = standardised(Selection(self.concept_scores, columns=np.maximum(words, 0))[:, :])[:, place]
        correlation = np.einsum("di,di->i", standardised(columns), scores)
        return np.where((concepts < 0) | np.isnan(correlation), 0, np.round(correlation, 12))

    def _permuted_columns(self, units: IntArray, orders: list[IntArray]) -> NDArray[np.floating[Any]]:
        distinct, copies = np.unique(units, return_inverse=True)
        read = np.asfortranarray(Selection(self.activations, columns=distinct)[:, :])
        columns = np.empty((len(read), len(units)), read.dtype, order="F")
        for place, (copy, order) in enumerate(zip(copies, orders, strict=True)):
            columns[:, place] = read[order, copy]
        return columns
