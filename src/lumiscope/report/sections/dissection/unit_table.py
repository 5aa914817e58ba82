"""All units of a run for the searchable table: the page's script reads them by the names of their columns."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from markupsafe import Markup

from lumiscope.runs import Column, UnitRow, table_of

COLUMNS = (
    "model", "layer", "unit", "label", "further_labels", "category", "score", "margin", "runner_up", "reason",
    "reason_detail", "q_value", "heldout_correlation", "stability",
)  # fmt: skip


def units_json(rows: Sequence[UnitRow]) -> Markup:
    """All units as compact JSON: {"words": ["objects", …], "columns": {"model": [0, …], "unit": [0, …], …}}.

    Columns have the names of those of `UnitRow`. Texts are places in `words`, where each stands once; what is missing
    or no number is null.
    """
    words: dict[str, int] = {}
    declared = {column.name: column for column in table_of(UnitRow).columns}
    columns = {name: _packed(declared[name], (getattr(row, name) for row in rows), words) for name in COLUMNS}
    return script_json({"words": list(words), "columns": columns})


def script_json(value: object) -> Markup:
    """JSON that may stand inside a script element: nothing in it can close the element or look like an address."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026").replace("://", ":\\/\\/"))


def _packed(column: Column, values: Iterable[Any], words: dict[str, int]) -> list[Any]:
    def place(text: str | None) -> int | None:
        return words.setdefault(text, len(words)) if text else None

    if column.is_list:
        return [[place(text) for text in texts] for texts in values]
    if issubclass(column.kind, (str, StrEnum)):
        return [place(text) for text in values]
    return [_rounded(value) for value in values] if column.kind is float else list(values)


def _rounded(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None
