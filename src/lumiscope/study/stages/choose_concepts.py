"""Which words units may be named with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lumiscope.concepts import ConceptSet, category_of, load_concepts
from lumiscope.scorers import Scorer


def choose_concepts(concepts: ConceptSet | Sequence[str] | str | None, scorer: Scorer) -> ConceptSet:
    """The concept set asked for; by default the words that the scorer is limited to, else the shipped set."""
    if isinstance(concepts, ConceptSet):
        return concepts
    if isinstance(concepts, (str, Path)):
        return load_concepts(concepts)
    if concepts is not None:
        return ConceptSet.of(concepts)
    if scorer.words is None:
        return load_concepts()
    return ConceptSet(scorer.name, scorer.words, scorer.categories or tuple(map(category_of, scorer.words)))
