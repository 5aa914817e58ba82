"""Units of a finished run: by concept, layer, model, number and category."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lumiscope.concepts import is_concept, names_concept
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.runs.tables import UnitRow


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


def find_units(units: Sequence[UnitRow], query: UnitQuery) -> list[UnitRow]:
    """The units that fit a query, in their order.

    With a concept, units that are labelled with exactly this come first, then those that a wildcard means, then those
    that have it as a further label only.
    Errors: `UnknownNameError` for a name that does not occur, with the nearest that do; `UsageError` for a unit that
    the layers do not have, or a query that contradicts itself.
    """
    if query.no_label and (query.concept or query.category):
        raise UsageError("units without a label have no concept and no category: leave out one or the other")
    rows = list(units)
    if not rows:
        raise UsageError("this run has no units: it was made without probing images (--probe)")
    layer, number = _address(query)
    rows = _named(rows, "model", query.model)
    rows = _named(rows, "layer", layer)
    if number is not None:
        rows = _numbered(rows, number)
    rows = _named(rows, "category", query.category)
    if query.no_label:
        rows = [row for row in rows if row.label is None]
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


def _named(rows: list[UnitRow], column: str, name: str | None) -> list[UnitRow]:
    """Those whose `column` is `name`; where none is, those that `name` means as a wildcard."""
    if name is None:
        return rows
    values = [(getattr(row, column), row) for row in rows]
    matches = [row for value, row in values if value == name]
    matches = matches or [row for value, row in values if value is not None and fnmatch.fnmatchcase(value, name)]
    if not matches:
        raise UnknownNameError(column, name, dict.fromkeys(value for value, _ in values if value is not None))
    return matches


def _numbered(rows: list[UnitRow], number: int) -> list[UnitRow]:
    numbered = [row for row in rows if row.unit == number]
    if numbered:
        return numbered
    last: dict[tuple[str, str], int] = {}
    for row in rows:
        last[row.model, row.layer] = max(row.unit, last.get((row.model, row.layer), 0))
    have = ", ".join(f"{layer} of {model} 0 to {unit}" for (model, layer), unit in list(last.items())[:6])
    raise UsageError(f"there is no unit {number}: the units are numbered from 0, {have}")


def _with_concept(rows: Sequence[UnitRow], name: str) -> list[UnitRow]:
    known = dict.fromkeys(word for row in rows for word in (row.label, *row.further_labels) if word is not None)
    if not known:
        raise UsageError(f"no unit here has a label, so none has {name!r}")
    if not any(names_concept(name, word) for word in known):
        raise UnknownNameError("label", name, known, "Concepts that no unit is named with are not found.")
    ranks: list[Callable[[UnitRow], bool]] = [
        lambda row: row.label is not None and is_concept(name, row.label),
        lambda row: row.label is not None and names_concept(name, row.label),
        lambda row: any(is_concept(name, word) for word in row.further_labels),
        lambda row: any(names_concept(name, word) for word in row.further_labels),
    ]
    placed = [(next((place for place, fits in enumerate(ranks) if fits(row)), None), row) for row in rows]
    return [row for rank in range(len(ranks)) for place, row in placed if place == rank]
