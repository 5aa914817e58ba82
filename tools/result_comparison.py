"""What differs between two results of one study: tables column by column, maps field by field, files byte by byte.

A float equals another if its bits do; NaN equals NaN, and 0.0 is not -0.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Kind = Literal["missing", "new", "changed"]

# Addresses in the store, which hold digests of the code.
NEVER_COMPARED = ("explanations.location", "explanations.key", "masks.location", "masks.key")
MOST_CHARACTERS = 60


@dataclass(frozen=True)
class Difference:
    """`name`: TABLE.COLUMN, or TABLE.* for a whole table; maps are the tables maps.METHOD. `text`: in words."""

    name: str
    kind: Kind
    text: str

    def is_listed(self, patterns: Iterable[str]) -> bool:
        """Tell whether one of `patterns` (`units.score`, `units.*`) names it."""
        return any(fnmatchcase(self.name, pattern) for pattern in patterns)


def compare_tables(name: str, before: pa.Table | None, after: pa.Table | None) -> list[Difference]:
    """The columns of the table `name` that differ; None: there is no such table."""
    if before is None or after is None:
        return [] if before is after else [_one_sided(f"{name}.*", before is None, "the table")]
    differences = [
        _one_sided(f"{name}.{column}", column not in before.column_names, "the column")
        for column in dict.fromkeys([*before.column_names, *after.column_names])
        if (column in before.column_names) != (column in after.column_names)
    ]
    shared = [column for column in before.column_names if column in after.column_names]
    if [column for column in after.column_names if column in before.column_names] != shared:
        differences.append(Difference(f"{name}.*", "changed", "the columns stand in another order"))
    if before.num_rows != after.num_rows:
        rows = f"{before.num_rows} rows before, {after.num_rows} now"
        return [*differences, Difference(f"{name}.*", "changed", rows)]
    compared = [column for column in shared if f"{name}.{column}" not in NEVER_COMPARED]
    return [*differences, *(difference for column in compared for difference in _column(name, column, before, after))]


def compare_arrays(
    before: Mapping[str, NDArray[np.generic]], after: Mapping[str, NDArray[np.generic]]
) -> list[Difference]:
    """The fields of maps that differ; keys are METHOD/FIELD/ITEM, and items of one field make one difference."""
    items: dict[tuple[str, Kind], list[str]] = {}
    for key in dict.fromkeys([*before, *after]):
        method, field, item = key.split("/", 2)
        if key not in before or key not in after:
            kind: Kind = "new" if key not in before else "missing"
            items.setdefault((f"maps.{method}.{field}", kind), []).append(item)
        elif not equal_arrays(before[key], after[key]):
            text = f"{item} ({_array_change(before[key], after[key])})"
            items.setdefault((f"maps.{method}.{field}", "changed"), []).append(text)
    return [
        Difference(name, kind, f"{kind} in {len(changed)} maps, first {changed[0]}")
        for (name, kind), changed in items.items()
    ]


def compare_files(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[Difference]:
    """The files that differ, by name."""
    differences = []
    for name in dict.fromkeys([*before, *after]):
        if name not in before or name not in after:
            differences.append(_one_sided(f"files.{name}", name not in before, "the file"))
        elif before[name] != after[name]:
            differences.append(Difference(f"files.{name}", "changed", "other bytes"))
    return differences


def equal_arrays(first: NDArray[np.generic], second: NDArray[np.generic]) -> bool:
    """Tell whether type, shape and all bits are equal, whatever the bits of a NaN."""
    if first.dtype != second.dtype or first.shape != second.shape:
        return False
    return _with_plain_nan(first).tobytes() == _with_plain_nan(second).tobytes()


def _with_plain_nan(array: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.where(np.isnan(array), np.nan, array).astype(array.dtype) if array.dtype.kind == "f" else array


def _column(table: str, column: str, before: pa.Table, after: pa.Table) -> list[Difference]:
    name, old, new = f"{table}.{column}", before.column(column), after.column(column)
    if old.type != new.type:
        return [Difference(name, "changed", f"type {old.type} before, {new.type} now")]
    # The text of a float is exact, tells 0.0 from -0.0 and makes every NaN the same, also inside of lists.
    pairs = list(zip(map(repr, old.to_pylist()), map(repr, new.to_pylist()), strict=True))
    rows = [row for row, (was, now) in enumerate(pairs) if was != now]
    if not rows:
        return []
    was, now = (_short(text) for text in pairs[rows[0]])
    return [
        Difference(name, "changed", f"differs in {len(rows)} of {len(pairs)} rows, first row {rows[0]}: {was} → {now}")
    ]


def _one_sided(name: str, is_new: bool, what: str) -> Difference:
    return Difference(name, "new" if is_new else "missing", f"{what} is {'new' if is_new else 'missing'}")


def _array_change(before: NDArray[np.generic], after: NDArray[np.generic]) -> str:
    if before.dtype != after.dtype or before.shape != after.shape:
        return f"{before.dtype} {before.shape} before, {after.dtype} {after.shape} now"
    if before.dtype.kind in "fiub" and before.size:
        return f"by {np.max(np.abs(before.astype(float) - after.astype(float))):g} at most"
    return f"{_short(str(before))} → {_short(str(after))}"


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
