"""Models side by side: the categories and concepts in which their units differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lumiscope.dissection.model_differences import ALPHA, CATEGORY, CONCEPT
from lumiscope.report.categories import Category
from lumiscope.report.numbers import defined

PAIRS = 3  # pairs of models on the page; the table has all
CONCEPTS_SHOWN = 10
ONLY_SHOWN = 24
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """A category or concept in two models: units, shares of all units, and the difference of b and a with its interval.

    `category`: its own, or that of the concept. `certain`: whether the test, corrected for all names, says that the
    models differ. `p_adjusted`: None where there are too few units to tell.
    """

    name: str
    category: Category
    units: tuple[int, int]
    shares: tuple[float, float]
    difference: float
    low: float
    high: float
    p_adjusted: float | None

    @property
    def certain(self) -> bool:
        """Whether chance is no likely explanation."""
        return self.p_adjusted is not None and self.p_adjusted < ALPHA


@dataclass(frozen=True)
class Comparison:
    """What differs between two models in one place. `where`: "stage4", or "all layers". `of`: units of either.

    `top_share`, `top_concept`: the highest share of a category and of a concept, the scales of the bars. `concepts`:
    the most certain differences. `only_a`, `only_b`: what one model has and the other has not, most units first, as
    (concept, units); `num_only`: how many of them there are. `shared`: concepts that both have.
    """

    where: str
    of: tuple[int, int]
    categories: tuple[Difference, ...]
    top_share: float
    concepts: tuple[Difference, ...]
    top_concept: float
    num_concepts: int
    only_a: tuple[tuple[str, int], ...]
    only_b: tuple[tuple[str, int], ...]
    num_only: tuple[int, int]
    shared: int


@dataclass(frozen=True)
class ModelPair:
    """Two models: their last layers first, then all layers together, then layers of the same name."""

    model_a: str
    model_b: str
    comparisons: tuple[Comparison, ...]


def model_pairs(rows: Iterable[Row], categories: Mapping[str, Category]) -> tuple[ModelPair, ...]:
    """The first pairs of models. `rows`: of the table `model_differences`. `categories`: by name, in order."""
    pairs: dict[tuple[str, str], dict[tuple[str | None, str | None], list[Row]]] = {}
    for row in rows:
        scopes = pairs.setdefault((row["model_a"], row["model_b"]), {})
        scopes.setdefault((row["layer_a"], row["layer_b"]), []).append(row)
    return tuple(
        ModelPair(*models, tuple(_comparison(scope, scopes[scope], categories) for scope in _ordered(scopes)))
        for models, scopes in list(pairs.items())[:PAIRS]
    )


def _ordered(scopes: Iterable[tuple[str | None, str | None]]) -> list[tuple[str | None, str | None]]:
    """The last layers, then all layers together, then the others from the last to the first."""
    layers = [scope for scope in scopes if scope != (None, None)]
    return [*layers[-1:], (None, None), *reversed(layers[:-1])]


def _comparison(
    scope: tuple[str | None, str | None], rows: Sequence[Row], categories: Mapping[str, Category]
) -> Comparison:
    names = list(categories)
    by_kind = {kind: [row for row in rows if row["kind"] == kind] for kind in (CATEGORY, CONCEPT)}
    groups = sorted(by_kind[CATEGORY], key=lambda row: names.index(row["name"]))
    shown = tuple(_difference(row, categories) for row in groups)
    concepts = by_kind[CONCEPT]
    named = tuple(_difference(row, categories) for row in concepts[:CONCEPTS_SHOWN])
    only_a, only_b = _only(concepts, "units_a", "units_b"), _only(concepts, "units_b", "units_a")
    where = "all layers" if scope == (None, None) else " and ".join(dict.fromkeys(str(name) for name in scope))
    return Comparison(
        where=where,
        of=(rows[0]["of_a"], rows[0]["of_b"]),
        categories=shown,
        top_share=_top(shown),
        concepts=named,
        top_concept=_top(named),
        num_concepts=len(concepts),
        only_a=only_a[:ONLY_SHOWN],
        only_b=only_b[:ONLY_SHOWN],
        num_only=(len(only_a), len(only_b)),
        shared=len(concepts) - len(only_a) - len(only_b),
    )


def _top(differences: Iterable[Difference]) -> float:
    return max((share for one in differences for share in one.shares), default=0.0)


def _only(rows: Iterable[Row], have: str, lack: str) -> tuple[tuple[str, int], ...]:
    found = [(row["name"], row[have]) for row in rows if row[have] and not row[lack]]
    return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0])))


def _difference(row: Row, categories: Mapping[str, Category]) -> Difference:
    units, totals = (row["units_a"], row["units_b"]), (row["of_a"], row["of_b"])
    return Difference(
        name=row["name"],
        category=categories[row["category"]],
        units=units,
        shares=(units[0] / totals[0] if totals[0] else 0.0, units[1] / totals[1] if totals[1] else 0.0),
        difference=row["difference"],
        low=row["low"],
        high=row["high"],
        p_adjusted=row["p_adjusted"] if defined(row["p_adjusted"]) else None,
    )
