"""Units of a finished run: by concept, layer, model, number and category."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lumiscope.concepts.patterns import is_concept, names_concept
from lumiscope.errors import UnknownNameError, UsageError

Row = dict[str, Any]


@dataclass(frozen=True)
class UnitQuery:
    """What is looked for; None: anything.

    `concept`: a label or further label; `layer`, `model`: names. All three take wildcards, and letter case does not
    matter in a concept. `unit`: "447" or "layer4:447". `category`: of the label. `no_label`: only units without one.
    """

    concept: str | None = None
    layer: str | None = None
    model: str | None = None
    unit: str | None = None
    category: str | None = None
    no_label: bool = False


def find_units(units: pa.Table, query: UnitQuery) -> list[Row]:
    """The rows of a units table that fit a query, in the order of the table.

    With a concept, units that are labelled with exactly this come first, then those that a wildcard means, then those
    that have it as a further label only.
    Errors: `UnknownNameError` for a name that does not occur, with the nearest that do; `UsageError` for a unit that
    the layers do not have, or a query that contradicts itself.
    """
    if query.no_label and (query.concept or query.category):
        raise UsageError("units without a label have no concept and no category: leave out one or the other")
    rows: list[Row] = units.to_pylist()
    if not rows:
        raise UsageError("this run has no units: it was made without probing images (--probe)")
    layer, number = _address(query)
    rows = _named(rows, "model", query.model)
    rows = _named(rows, "layer", layer)
    if number is not None:
        rows = _numbered(rows, number)
    if query.category is not None:
        rows = _named(rows, "category", query.category)
    if query.no_label:
        rows = [row for row in rows if row["label"] is None]
    return rows if query.concept is None else _with_concept(rows, query.concept)


def _address(query: UnitQuery) -> tuple[str | None, int | None]:
    """The layer and number that are asked for."""
    if query.unit is None:
        return query.layer, None
    layer, colon, number = query.unit.rpartition(":")
    if not re.fullmatch(r"[0-9]+", number) or (colon and not layer):
        raise UsageError(f"expected a unit as LAYER:NUMBER (layer4:447) or a number; got {query.unit!r}")
    if layer and query.layer not in (None, layer):
        raise UsageError(f"the unit {query.unit} is not in the layer {query.layer}: leave out --layer")
    return layer or query.layer, int(number)


def _named(rows: list[Row], column: str, name: str | None) -> list[Row]:
    if name is None:
        return rows
    found = [row for row in rows if row[column] == name]
    found = found or [row for row in rows if row[column] is not None and fnmatch.fnmatchcase(row[column], name)]
    if not found:
        known = dict.fromkeys(row[column] for row in rows if row[column] is not None)
        raise UnknownNameError(column, name, known)
    return found


def _numbered(rows: list[Row], number: int) -> list[Row]:
    found = [row for row in rows if row["unit"] == number]
    if found:
        return found
    layers: dict[tuple[str, str], int] = {}
    for row in rows:
        layers[row["model"], row["layer"]] = max(row["unit"], layers.get((row["model"], row["layer"]), 0))
    have = ", ".join(f"{layer} of {model} 0 to {last}" for (model, layer), last in list(layers.items())[:6])
    raise UsageError(f"there is no unit {number}: the units are numbered from 0, {have}")


def _with_concept(rows: Sequence[Row], name: str) -> list[Row]:
    known = dict.fromkeys(word for row in rows for word in _words(row))
    if not known:
        raise UsageError(f"no unit here has a label, so none has {name!r}")
    if not any(names_concept(name, word) for word in known):
        raise UnknownNameError("label", name, known, "Concepts that no unit is named with are not found.")
    ranks: list[Callable[[Row], bool]] = [
        lambda row: _means(is_concept, name, [row["label"]]),
        lambda row: _means(names_concept, name, [row["label"]]),
        lambda row: _means(is_concept, name, row["further_labels"]),
        lambda row: _means(names_concept, name, row["further_labels"]),
    ]
    placed = [(next((place for place, fits in enumerate(ranks) if fits(row)), None), row) for row in rows]
    return [row for rank in range(len(ranks)) for place, row in placed if place == rank]


def _means(match: Callable[[str, str], bool], name: str, words: Iterable[str | None] | None) -> bool:
    return any(word is not None and match(name, word) for word in words or ())


def _words(row: Row) -> list[str]:
    return [word for word in (row["label"], *(row["further_labels"] or ())) if word is not None]
