"""What a similarity is, and which ones there are: each module next to this one registers its function by decorator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lumiscope.discovery import import_siblings
from lumiscope.errors import ScorerError, UnknownNameError
from lumiscope.types import DoubleArray

Matrix: TypeAlias = NDArray[np.floating[Any]]
SimilarityFunction: TypeAlias = Callable[[Matrix, Matrix], DoubleArray]

_METHODS: dict[str, SimilarityMethod] = {}


@dataclass(frozen=True)
class SimilarityMethod:
    """One way to compare the units of a layer with concepts, and what a reader should know about it.

    `minimum_images`: the fewest probing images for which the published definition holds.
    `with_fewer`: what this implementation does with fewer, as the end of a sentence.
    `tie_breaker`: for a similarity with a ceiling, where many concepts score alike up to rounding: of the same form as
    `function`, it says which of them to prefer.
    """

    name: str
    title: str
    citation: str
    equation: str
    minimum_images: int
    with_fewer: str
    function: SimilarityFunction
    tie_breaker: SimilarityFunction | None = None

    def __call__(self, activations: Matrix, concept_scores: Matrix) -> DoubleArray:
        """Compare every unit with every concept.

        `activations`: (D, U) pooled activations of D probing images, finite. `concept_scores`: (D, K), finite.
        Returns (U, K) float64, higher = more alike; NaN where the similarity is undefined.
        Raises ScorerError if the two are not matrices about the same images.
        """
        if activations.ndim != 2 or concept_scores.ndim != 2 or len(activations) != len(concept_scores):
            raise ScorerError(
                "activations must be (images, units) and concept scores (images, concepts) of the same images; "
                f"got {activations.shape} and {concept_scores.shape}"
            )
        if 0 in activations.shape or 0 in concept_scores.shape:
            raise ScorerError(
                "a similarity needs at least one image, one unit and one concept; "
                f"got activations {activations.shape} and concept scores {concept_scores.shape}"
            )
        return self.function(activations, concept_scores)


def similarity(
    *,
    name: str,
    title: str,
    citation: str,
    equation: str,
    minimum_images: int = 1,
    with_fewer: str = "",
    tie_breaker: SimilarityFunction | None = None,
) -> Callable[[SimilarityFunction], SimilarityFunction]:
    """Register the decorated function as the similarity called `name`; see `SimilarityMethod` for the fields."""

    def register(function: SimilarityFunction) -> SimilarityFunction:
        _METHODS[name] = SimilarityMethod(
            name, title, citation, equation, minimum_images, with_fewer, function, tie_breaker
        )
        return function

    return register


def similarity_methods() -> Mapping[str, SimilarityMethod]:
    """Every registered similarity by name, in alphabetical order."""
    import_siblings(__name__)
    return MappingProxyType(dict(sorted(_METHODS.items())))


def get_similarity(name: str) -> SimilarityMethod:
    """Return the similarity called `name`. Raises UnknownNameError with the nearest names."""
    methods = similarity_methods()
    if name not in methods:
        raise UnknownNameError("similarity", name, methods)
    return methods[name]
