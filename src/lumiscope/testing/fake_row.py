"""Rows of a run's tables without a run."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from enum import StrEnum
from typing import Any, TypeVar, cast

from lumiscope.runs import Column, table_of

Row = TypeVar("Row")


def fake_row(row: type[Row], **given: Any) -> Row:
    """A row in which `given` columns have their values, and all others the plainest value that their type allows.

    That is None where a column may be null, no entries in a list, the column's name as text, and as a number the one
    nearest to 0 that the column's range holds. Errors: `TypeError` for a column that the table has not.
    """
    return row(**{**_plain_row(cast(Hashable, row)), **given})


@functools.cache
def _plain_row(row: Any) -> dict[str, Any]:
    return {column.name: _plain(column) for column in table_of(row).columns}


def _plain(column: Column) -> Any:
    if column.nullable:
        return None
    if column.is_list:
        return ()
    if issubclass(column.kind, StrEnum):
        return next(iter(column.kind))
    if issubclass(column.kind, str):
        return column.name
    nearest = max(column.low or 0, min(0, column.high or 0))
    number: Any = column.kind  # int, float or bool
    return number(nearest)
