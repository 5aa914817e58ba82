"""What differs between models: the concepts and categories that their units respond to."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence

from lumiscope.dissection.summary import category_histogram, concept_counts
from lumiscope.dissection.unit_labels import UnitLabels
from lumiscope.runs import ALPHA, CATEGORY, CONCEPT, CategoryRow, ConceptCountRow, ModelDifferenceRow
from lumiscope.statistics import difference_interval, holm, share_test

Scope = tuple[str | None, str | None]


def model_differences(labels: UnitLabels) -> list[ModelDifferenceRow]:
    """Compare the shares of units with each category and each concept, for every pair of models.

    One row a name that a unit of either model has; "no label" is a category. Compared are all layers of a model
    together, layers of the same name, and the last ones. `p_adjusted`: Holm over the rows of the same pair, layers and
    kind, but for those with so few units that no way to deal them out reaches 0.05: nothing could be found there, so
    there is no test to correct for (Tarone 1990), and it is NaN. Units count as independent draws, which units of one
    network are only roughly. Rows: most certain difference first.
    """
    counts = {
        CATEGORY: _counted((row, row.category) for row in category_histogram(labels, ())),
        CONCEPT: _counted((row, row.concept) for row in concept_counts(labels)),
    }
    totals = _totals(labels)
    rows: list[ModelDifferenceRow] = []
    for first, second in itertools.combinations(labels.model_names, 2):
        for scope in _scopes(labels, first, second):
            for kind, units in counts.items():
                sides = [
                    (units.get((model, layer), {}), totals[model, layer])
                    for model, layer in zip((first, second), scope, strict=True)
                ]
                rows += _compared(first, second, scope, kind, sides)
    return rows


def _totals(labels: UnitLabels) -> dict[tuple[str, str | None], int]:
    totals: dict[tuple[str, str | None], int] = dict.fromkeys(((model, None) for model in labels.model_names), 0)
    for layer in labels.layers:
        totals[layer.model, layer.layer] = len(layer)
        totals[layer.model, None] += len(layer)
    return totals


def _counted(
    rows: Iterable[tuple[CategoryRow | ConceptCountRow, str]],
) -> dict[tuple[str, str | None], dict[tuple[str, str], int]]:
    """Units by (model, layer) and by (name, category). `rows`: each with its name."""
    units: dict[tuple[str, str | None], dict[tuple[str, str], int]] = {}
    for row, name in rows:
        if row.units:
            units.setdefault((row.model, row.layer), {})[name, row.category] = row.units
    return units


def _scopes(labels: UnitLabels, first: str, second: str) -> list[Scope]:
    layers = [[layer.layer for layer in labels.layers if layer.model == model] for model in (first, second)]
    same: list[Scope] = [(name, name) for name in layers[0] if name in layers[1]]
    last = [names[-1] for names in layers]
    return list(dict.fromkeys([(None, None), *same, (last[0], last[1])]))


def _compared(
    model_a: str, model_b: str, layers: Scope, kind: str, sides: Sequence[tuple[dict[tuple[str, str], int], int]]
) -> Iterator[ModelDifferenceRow]:
    (units_a, of_a), (units_b, of_b) = sides
    names = list(dict.fromkeys([*units_a, *units_b]))
    pairs = [((units_a.get(name, 0), of_a), (units_b.get(name, 0), of_b)) for name in names]
    p_values = [_share_test(*pair) for pair in pairs]
    adjusted = holm([p if _testable(*pair) else float("nan") for p, pair in zip(p_values, pairs, strict=True)])
    order = sorted(range(len(names)), key=lambda place: (p_values[place], names[place]))
    for place in order:
        (count_a, _), (count_b, _) = pairs[place]
        low, high = difference_interval(*pairs[place])
        name, category = names[place]
        yield ModelDifferenceRow(
            model_a=model_a,
            model_b=model_b,
            layer_a=layers[0],
            layer_b=layers[1],
            kind=kind,
            name=name,
            category=category,
            units_a=count_a,
            of_a=of_a,
            units_b=count_b,
            of_b=of_b,
            difference=count_b / of_b - count_a / of_a if of_a and of_b else float("nan"),
            low=low,
            high=high,
            p_value=p_values[place],
            p_adjusted=float(adjusted[place]),
        )


def _testable(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether the clearest way to deal the units out would be a discovery."""
    (count_a, of_a), (count_b, of_b) = first, second
    units = count_a + count_b
    in_a, in_b = min(units, of_a), min(units, of_b)
    extremes = (_share_test((in_a, of_a), (units - in_a, of_b)), _share_test((units - in_b, of_a), (in_b, of_b)))
    return min(extremes) < ALPHA


# Most concepts have one or two units: the same few tables come again and again.
_share_test = functools.lru_cache(maxsize=4096)(share_test)
