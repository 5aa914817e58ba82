"""What a similarity is, and which ones there are: each module next to this one registers its function by decorator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.columns import Columns
from lumiscope.dissection.similarity.blocks import compare_blocks, in_blocks, log_totals
from lumiscope.errors import ScorerError
from lumiscope.registry import Registry
from lumiscope.types import DoubleArray


def unchanged(block: Any) -> Any:
    """Prepare nothing: what the comparison gets is the columns as they are."""
    return block


@dataclass(frozen=True)
class SimilarityMethod:
    """One way to compare the units of a layer with concepts, and what a reader should know about it.

    `minimum_images`: the fewest probing images for which the published definition holds.
    `with_fewer`: what this implementation does with fewer, as the end of a sentence.
    `compare`: (a block of u units, a block of k concepts) -> (u, k). `of_units` and `of_concepts` make these blocks of
    columns, (D, u) and (D, k), once for all blocks that they meet; what `of_units` makes is an array or a tuple of
    arrays.
    `sharpness`: where given, concepts are compared not by their scores P but by their probability on each image, the
    softmax over all concepts of sharpness · P. `of_concepts` then gets the logarithms of the probabilities, some rows
    at a time, and may write over them.
    `contrast`: how much of the layer's average unit is taken off, so that a concept that fits every unit is not
    everybody's label.
    """

    name: str
    title: str
    citation: str
    equation: str
    minimum_images: int
    with_fewer: str
    compare: Callable[[Any, Any], DoubleArray]
    of_units: Callable[[Any], Any] = unchanged
    of_concepts: Callable[[Any], Any] = unchanged
    sharpness: float | None = None
    contrast: float = 0.0

    def __call__(self, activations: Columns, concept_scores: Columns) -> DoubleArray:
        """Compare every unit with every concept.

        `activations`: (D, U) pooled activations of D probing images, finite. `concept_scores`: (D, K), finite.
        Returns (U, K) float64, higher = more alike; NaN where the similarity is undefined.
        Raises ScorerError if the two are not matrices about the same images.
        """
        unitwise = self.unitwise(activations, concept_scores)
        average = self.layer_average(unitwise)
        if average is not None:
            unitwise -= self.contrast * average
        return unitwise

    def unitwise(
        self, activations: Columns, concept_scores: Columns, row_totals: DoubleArray | None = None
    ) -> DoubleArray:
        """Compare as much as needs no other unit: each row depends on its own unit only.

        `activations`: (D, U). `concept_scores`: (D, K). `row_totals`: (D,) what `row_totals` gives for all concepts,
        where `concept_scores` has only some of them; else it is made of those that are there. Returns (U, K) float64.
        Memory holds blocks of either matrix. Raises ScorerError if the matrices do not fit.
        """
        _check(activations, concept_scores)
        if row_totals is None:
            row_totals = self.row_totals(concept_scores)
        elif row_totals.shape != (len(concept_scores),):
            raise ScorerError(f"expected one total for each of {len(concept_scores)} images; got {row_totals.shape}")
        return compare_blocks(self, activations, concept_scores, row_totals)

    def row_totals(self, concept_scores: Columns) -> DoubleArray | None:
        """(D,): what the softmax over all concepts needs, logsumexp(sharpness · P); None where there is no softmax."""
        return None if self.sharpness is None else log_totals(concept_scores, self.sharpness)

    def layer_average(self, unitwise: DoubleArray) -> DoubleArray | None:
        """(K,): how well a concept fits the average unit, logsumexp over units - log U; None without a contrast.

        `unitwise`: (U, K). Oikarinen and Weng 2023, equation 2.
        """
        if not self.contrast:
            return None
        return np.concatenate(list(in_blocks(lambda _, block: _log_mean_exp(block), unitwise)))

    def contrasted(self, unitwise: DoubleArray, average: DoubleArray | None) -> DoubleArray:
        """(U, K): `unitwise` less contrast · `average` (K,); `unitwise` itself where there is no average."""
        return unitwise if average is None else np.asarray(unitwise - self.contrast * average)


SIMILARITIES: Registry[SimilarityMethod] = Registry("similarity", package="lumiscope.dissection.similarity")
"""Every similarity by name."""


def similarity(
    *,
    name: str,
    title: str,
    citation: str,
    equation: str,
    minimum_images: int = 1,
    with_fewer: str = "",
    of_units: Callable[[Any], Any] = unchanged,
    of_concepts: Callable[[Any], Any] = unchanged,
    sharpness: float | None = None,
    contrast: float = 0.0,
) -> Callable[[Callable[[Any, Any], DoubleArray]], Callable[[Any, Any], DoubleArray]]:
    """Register the decorated comparison as the similarity called `name`; see `SimilarityMethod` for the fields."""

    def register(compare: Callable[[Any, Any], DoubleArray]) -> Callable[[Any, Any], DoubleArray]:
        method = SimilarityMethod(
            name=name,
            title=title,
            citation=citation,
            equation=equation,
            minimum_images=minimum_images,
            with_fewer=with_fewer,
            compare=compare,
            of_units=of_units,
            of_concepts=of_concepts,
            sharpness=sharpness,
            contrast=contrast,
        )
        SIMILARITIES.register(name, method, defined_by=compare)
        return compare

    return register


def _log_mean_exp(block: NDArray[np.floating[Any]]) -> DoubleArray:
    """(U, k) -> (k,)."""
    highest = block.max(axis=0)
    return np.asarray(highest + np.log(np.exp(block - highest).mean(axis=0)))


def _check(activations: Columns, concept_scores: Columns) -> None:
    shapes = activations.shape, concept_scores.shape
    if any(len(shape) != 2 for shape in shapes) or len(activations) != len(concept_scores):
        raise ScorerError(
            "activations must be (images, units) and concept scores (images, concepts) of the same images; "
            f"got {shapes[0]} and {shapes[1]}"
        )
    if any(0 in shape for shape in shapes):
        raise ScorerError(
            "a similarity needs at least one image, one unit and one concept; "
            f"got activations {shapes[0]} and concept scores {shapes[1]}"
        )
