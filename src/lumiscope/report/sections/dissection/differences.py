"""Models side by side: the categories and concepts in which their units differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lumiscope.report.parts.category import Category
from lumiscope.runs import CATEGORY, CONCEPT, ModelDifferenceRow

PAIRS = 3  # pairs of models on the page; the table has all
CONCEPTS_SHOWN = 10
ONLY_SHOWN = 24
Scope = tuple[str | None, str | None]


@dataclass(frozen=True)
class Comparison:
    """What differs between two models in one place. `where`: "stage4", or "all layers". `units`: of either.

    `categories`: in their order. `concepts`: those of `concept_count` with the smallest p. `only_a`, `only_b`: what
    one model has and the other has not, most units first. `shared`: how many concepts both have.
    """

    where: str
    units: tuple[int, int]
    categories: tuple[ModelDifferenceRow, ...]
    concepts: tuple[ModelDifferenceRow, ...]
    concept_count: int
    only_a: OnlyConcepts
    only_b: OnlyConcepts
    shared: int

    @property
    def highest_category_share(self) -> float:
        """The scale of the bars of categories."""
        return _highest_share(self.categories)

    @property
    def highest_concept_share(self) -> float:
        """The scale of the bars of concepts."""
        return _highest_share(self.concepts)


@dataclass(frozen=True)
class OnlyConcepts:
    """Concepts that one of two models alone has, as (concept, units): the first of `count`."""

    concepts: tuple[tuple[str, int], ...]
    count: int


@dataclass(frozen=True)
class ModelPair:
    """Two models: their last layers first, then all layers together, then layers of the same name."""

    model_a: str
    model_b: str
    comparisons: tuple[Comparison, ...]


def model_pairs(rows: Iterable[ModelDifferenceRow], categories: Mapping[str, Category]) -> tuple[ModelPair, ...]:
    """The first pairs of models. `categories`: by name, in order."""
    pairs: dict[tuple[str, str], dict[Scope, list[ModelDifferenceRow]]] = {}
    for row in rows:
        scopes = pairs.setdefault((row.model_a, row.model_b), {})
        scopes.setdefault((row.layer_a, row.layer_b), []).append(row)
    return tuple(
        ModelPair(*models, tuple(_comparison(scope, scopes[scope], list(categories)) for scope in _ordered(scopes)))
        for models, scopes in list(pairs.items())[:PAIRS]
    )


def _ordered(scopes: Iterable[Scope]) -> list[Scope]:
    """The last layers, then all layers together, then the others from the last to the first."""
    layers = [scope for scope in scopes if scope != (None, None)]
    return [*layers[-1:], (None, None), *reversed(layers[:-1])]


def _comparison(scope: Scope, rows: Sequence[ModelDifferenceRow], order: Sequence[str]) -> Comparison:
    categories = sorted((row for row in rows if row.kind == CATEGORY), key=lambda row: order.index(row.name))
    concepts = [row for row in rows if row.kind == CONCEPT]
    only_a = _only([(row.name, row.units_a) for row in concepts if row.units_a and not row.units_b])
    only_b = _only([(row.name, row.units_b) for row in concepts if row.units_b and not row.units_a])
    return Comparison(
        where="all layers" if scope == (None, None) else " and ".join(dict.fromkeys(str(name) for name in scope)),
        units=(rows[0].of_a, rows[0].of_b),
        categories=tuple(categories),
        concepts=tuple(concepts[:CONCEPTS_SHOWN]),
        concept_count=len(concepts),
        only_a=only_a,
        only_b=only_b,
        shared=len(concepts) - only_a.count - only_b.count,
    )


def _highest_share(rows: Iterable[ModelDifferenceRow]) -> float:
    return max((max(row.share_a, row.share_b) for row in rows), default=0.0)


def _only(concepts: Iterable[tuple[str, int]]) -> OnlyConcepts:
    ordered = sorted(concepts, key=lambda pair: (-pair[1], pair[0]))
    return OnlyConcepts(tuple(ordered[:ONLY_SHOWN]), len(ordered))
