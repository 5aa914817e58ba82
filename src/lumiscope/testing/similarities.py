"""What every similarity must do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from unittest import mock

import numpy as np

from lumiscope.dissection import SIMILARITIES, SimilarityMethod
from lumiscope.dissection.similarity import blocks
from lumiscope.errors import ScorerError
from lumiscope.testing._expect import expect, expect_close, expect_refusal
from lumiscope.testing.references import SIMILARITY_REFERENCES, SimilarityReference
from lumiscope.types import DoubleArray

SHAPES = ((150, 4, 7), (45, 3, 5), (28, 4, 6), (5, 3, 4), (1, 2, 3))
"""Images, units, concepts."""
ROUNDING = 1e-5  # sums over images may be float32


@dataclass(frozen=True)
class SimilarityCase:
    """A similarity that is checked, with its reference."""

    similarity: SimilarityMethod
    reference: SimilarityReference | None

    @property
    def name(self) -> str:
        """The similarity's."""
        return self.similarity.name


def matrices(images: int, units: int, concepts: int) -> tuple[DoubleArray, DoubleArray]:
    """(D, U) activations behind a ReLU, and (D, K) scores like cosines."""
    generator = np.random.default_rng([images, units, concepts])
    activations = np.maximum(generator.normal(0.5, 1, (images, units)), 0)
    return activations, generator.uniform(-0.05, 0.4, (images, concepts))


def says_what_it_is(case: SimilarityCase) -> None:
    """Title, equation, citation with a year, and what becomes of fewer images than its definition asks for."""
    facts = case.similarity
    expect(facts.title and facts.equation, f"expected {case.name} to have a title and an equation")
    expect(
        re.search(r"\b(18|19|20)\d\d\b", facts.citation),
        f"expected the citation of {case.name} to name author and year; got {facts.citation!r}",
    )
    expect(
        facts.minimum_images == 1 or facts.with_fewer,
        f"expected {case.name} to say what it does with fewer than {facts.minimum_images} images (with_fewer)",
    )


def equals_its_reference(case: SimilarityCase) -> None:
    """The scores are those of the slow, plain program in float64, NaN in the same places."""
    expect(
        case.reference is not None,
        f"expected a slow, plain reference of {case.name}: give reference=…, or register one with "
        '@replicates_similarity("…")',
    )
    assert case.reference is not None
    for shape in SHAPES:
        activations, scores = matrices(*shape)
        activations[:, 0] = 0.25  # a unit that says nothing
        scores[:, -1] = 0.125  # a concept that is everywhere alike
        given = case.similarity(activations.copy(), scores.copy())
        expect(given.dtype == np.float64, f"expected {case.name} in float64; got {given.dtype}")
        expected = case.reference(activations, scores)
        expect_close(given, np.asarray(expected), ROUNDING, f"{case.name} of {shape} images, units and concepts")


def does_not_depend_on_order(case: SimilarityCase) -> None:
    """Units and concepts in another order have the same scores in that order."""
    activations, scores = matrices(150, 6, 9)
    units, concepts = np.random.default_rng(0).permutation(6), np.random.default_rng(1).permutation(9)
    expected = case.similarity(activations, scores)
    given = case.similarity(activations[:, units], scores)
    expect_close(given, expected[units], ROUNDING, f"{case.name} of units in another order")
    given = case.similarity(activations, scores[:, concepts])
    expect_close(given, expected[:, concepts], ROUNDING, f"{case.name} of concepts in another order")


def is_the_same_in_blocks_of_any_size(case: SimilarityCase) -> None:
    """Matrices that are read a few columns at a time give the same scores."""
    activations, scores = (matrix.astype(np.float32) for matrix in matrices(150, 11, 23))
    expected = case.similarity(activations, scores)
    for columns in (1, 4):
        with mock.patch.multiple(blocks, MOST_COLUMNS=columns, HELD_BYTES=1000, ROWS=7):
            given = case.similarity(activations, scores)
        expect_close(given, expected, ROUNDING, f"{case.name} in blocks of {columns} columns")


def leaves_its_arguments_alone(case: SimilarityCase) -> None:
    """What it is given is afterwards what it was."""
    given = matrices(60, 5, 4)
    before = [matrix.copy() for matrix in given]
    case.similarity(*given)
    same = all(np.array_equal(matrix, other) for matrix, other in zip(given, before, strict=True))
    expect(same, f"expected {case.name} to leave activations and scores as they were")


def refuses_what_does_not_fit(case: SimilarityCase) -> None:
    """Matrices about other images, or about none."""
    for activations, scores in (((5, 2), (6, 3)), ((5, 0), (5, 3)), ((0, 2), (0, 3))):
        expect_refusal(
            partial(case.similarity, np.ones(activations), np.ones(scores)),
            ScorerError,
            f"activations {activations} and scores {scores} by {case.name}",
        )


SIMILARITY_CHECKS: tuple[Callable[[SimilarityCase], None], ...] = (
    says_what_it_is,
    equals_its_reference,
    does_not_depend_on_order,
    is_the_same_in_blocks_of_any_size,
    leaves_its_arguments_alone,
    refuses_what_does_not_fit,
)
"""What `check_similarity` checks, one thing each."""


def similarity_case(name: str, reference: SimilarityReference | None = None) -> SimilarityCase:
    """What the checks of a similarity get; see `check_similarity`."""
    return SimilarityCase(SIMILARITIES[name], reference or SIMILARITY_REFERENCES.get(name))


def check_similarity(name: str, reference: SimilarityReference | None = None) -> None:
    """Check that the similarity `name` does all that lumiscope and its users rely on.

    `reference`: the slow, plain program in float64 that it must equal, ((D, U) activations, (D, K) scores) -> (U, K);
    None: the one that was registered with `@replicates_similarity`.

    Raises AssertionError with a sentence that says what was expected and what came, UnknownNameError for a similarity
    that does not exist.
    """
    case = similarity_case(name, reference)
    for check in SIMILARITY_CHECKS:
        check(case)
