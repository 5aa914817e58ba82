"""What differs between models: the concepts and categories that their units respond to."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from lumiscope.dissection.summary import category_histogram, concept_counts
from lumiscope.statistics import holm
from lumiscope.statistics.proportions import difference_interval, share_test
from lumiscope.types import UnitLabels

ALPHA = 0.05
CATEGORY, CONCEPT = "category", "concept"
DIFFERENCE_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("model_a", "model_b", "layer_a", "layer_b", "kind", "name", "category")),
        *((name, pa.int64()) for name in ("units_a", "of_a", "units_b", "of_b")),
        *((name, pa.float64()) for name in ("difference", "low", "high", "p_value", "p_adjusted")),
    ]
)
Row = dict[str, Any]
Scope = tuple[str | None, str | None]


def model_differences(labels: UnitLabels) -> pa.Table:
    """Compare the shares of units with each category and each concept, for every pair of models.

    Columns: model_a, model_b, layer_a, layer_b, kind ("category" or "concept"), name, category, units_a, of_a,
    units_b, of_b, difference, low, high, p_value, p_adjusted. One row a name that a unit of either model has;
    "no label" is a category. Compared are all layers of a model together (`layer_a` and `layer_b` null), layers of the
    same name, and the last ones. `difference`: share in b minus share in a, with its 95 % interval (Newcombe).
    `p_value`: Fisher's exact test; `p_adjusted`: Holm over the rows of the same pair, layers and kind, but for those
    with so few units that no way to deal them out reaches 0.05: nothing could be found there, so there is no test to
    correct for (Tarone 1990), and it is NaN. Units count as independent draws, which units of one network are only
    roughly. Rows: most certain difference first.
    """
    counts = {CATEGORY: _counted(category_histogram(labels, ()), "category")}
    counts[CONCEPT] = _counted(concept_counts(labels), "concept")
    totals = _totals(labels)
    rows: list[Row] = []
    for first, second in itertools.combinations(labels.model_names, 2):
        for scope in _scopes(labels, first, second):
            for kind, units in counts.items():
                sides = [
                    (units.get((model, layer), {}), totals[model, layer])
                    for model, layer in zip((first, second), scope, strict=True)
                ]
                where = {"model_a": first, "model_b": second, "layer_a": scope[0], "layer_b": scope[1], "kind": kind}
                rows += [{**where, **row} for row in _compared(sides)]
    return pa.Table.from_pylist(rows, schema=DIFFERENCE_SCHEMA)


def _totals(labels: UnitLabels) -> dict[tuple[str, str | None], int]:
    totals: dict[tuple[str, str | None], int] = dict.fromkeys(((model, None) for model in labels.model_names), 0)
    for layer in labels.layers:
        totals[layer.model, layer.layer] = len(layer)
        totals[layer.model, None] += len(layer)
    return totals


def _counted(table: pa.Table, name: str) -> dict[tuple[str, str | None], dict[tuple[str, str], int]]:
    """Units by (model, layer) and by (name, category)."""
    found: dict[tuple[str, str | None], dict[tuple[str, str], int]] = {}
    for row in table.to_pylist():
        if row["units"]:
            found.setdefault((row["model"], row["layer"]), {})[row[name], row["category"]] = row["units"]
    return found


def _scopes(labels: UnitLabels, first: str, second: str) -> list[Scope]:
    layers = [[layer.layer for layer in labels.layers if layer.model == model] for model in (first, second)]
    same: list[Scope] = [(name, name) for name in layers[0] if name in layers[1]]
    last = [names[-1] for names in layers]
    return list(dict.fromkeys([(None, None), *same, (last[0], last[1])]))


def _compared(sides: Sequence[tuple[dict[tuple[str, str], int], int]]) -> Iterator[Row]:
    (units_a, of_a), (units_b, of_b) = sides
    names = list(dict.fromkeys([*units_a, *units_b]))
    pairs = [((units_a.get(name, 0), of_a), (units_b.get(name, 0), of_b)) for name in names]
    p_values = [_share_test(*pair) for pair in pairs]
    adjusted = holm([p if _testable(*pair) else float("nan") for p, pair in zip(p_values, pairs, strict=True)])
    order = sorted(range(len(names)), key=lambda place: (p_values[place], names[place]))
    for place in order:
        (count_a, _), (count_b, _) = pairs[place]
        low, high = difference_interval(*pairs[place])
        yield {
            **dict(zip(("name", "category"), names[place], strict=True)),
            **{"units_a": count_a, "of_a": of_a, "units_b": count_b, "of_b": of_b},
            "difference": count_b / of_b - count_a / of_a if of_a and of_b else float("nan"),
            **{"low": low, "high": high, "p_value": p_values[place], "p_adjusted": float(adjusted[place])},
        }


def _testable(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether the clearest way to deal the units out would be a discovery."""
    (count_a, of_a), (count_b, of_b) = first, second
    units = count_a + count_b
    in_a, in_b = min(units, of_a), min(units, of_b)
    extremes = (_share_test((in_a, of_a), (units - in_a, of_b)), _share_test((units - in_b, of_a), (in_b, of_b)))
    return min(extremes) < ALPHA


# Most concepts have one or two units: the same few tables come again and again.
_share_test = functools.lru_cache(maxsize=4096)(share_test)
