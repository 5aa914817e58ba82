"""One sentence of the summary as a row of the table `findings`."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

Row = dict[str, Any]


def claim(
    text: str,
    *,
    statistic: str,
    value: float,
    tables: str,
    test: str | None = None,
    low: float | None = None,
    high: float | None = None,
    p_value: float | None = None,
    images: int | None = None,
) -> Row:
    """A finding without its number. `tables`: the tables it was computed from."""
    return {
        "claim": text,
        "statistic": statistic,
        "value": value,
        "low": low,
        "high": high,
        "test": test,
        "p_value": p_value,
        "images": images,
        "tables": tables,
    }


def by_model(table: pa.Table) -> dict[str, list[Row]]:
    """The rows of a table by their model, in order."""
    found: dict[str, list[Row]] = {}
    for row in table.to_pylist():
        found.setdefault(row["model"], []).append(row)
    return found
