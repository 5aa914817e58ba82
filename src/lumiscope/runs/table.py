"""A table of a run, declared once: a frozen dataclass of its rows, from which all else follows.

    @table("detectors", "each layer and category of annotation, with the number of detectors")
    class DetectorRow:
        model: str = column("the model")
        units: int = column("units of the layer", low=0)

gives the Arrow schema (`table_of(DetectorRow).schema`), rows to Arrow and back, the JSON of `--json`, the documentation
of docs/runs.md, and fakes for tests (`lumiscope.testing.fake_row`). Where a column may be null, its type says
`| None`; NaN is a number that is undefined.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar, dataclass_transform

import pyarrow as pa

Row = TypeVar("Row")
ARROW = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
USER_COLUMNS = "user_columns"  # the field that holds columns of the user's own, where a table has such


@dataclass(frozen=True)
class Column:
    """One column. `unit`: of its numbers, "" for none. `low`, `high`: what they lie between; None: no bound.

    `kind`: the Python type of a value, or of an entry where `is_list`. `nullable`: whether a value may be None.
    """

    name: str
    doc: str
    unit: str
    low: float | None
    high: float | None
    kind: type
    is_list: bool
    nullable: bool
    arrow: pa.DataType

    def read(self, values: Iterable[Any]) -> list[Any]:
        """The values of a row dataclass for those of Arrow: lists become tuples, words of an enum its members."""
        if self.is_list:
            return [None if value is None else tuple(value) for value in values]
        if issubclass(self.kind, StrEnum):
            return [None if value is None else self.kind(value) for value in values]
        return list(values)


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table by name. `doc`: what there is one row for. `has_user_columns`: whether the user's columns follow."""

    name: str
    doc: str
    row: type[Row]
    columns: tuple[Column, ...]
    has_user_columns: bool

    @functools.cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the columns that are declared."""
        return pa.schema([pa.field(column.name, column.arrow) for column in self.columns])

    def named_apart(self, columns: Mapping[str, str]) -> dict[str, str]:
        """The user's own columns by names that are free: one called as a column of the table becomes `user_NAME`.

        Where the user has that, too, `user_` comes twice.
        """
        names = {column.name for column in self.columns}
        apart: dict[str, str] = {}
        for name, value in columns.items():
            free = name
            while free in names or (free != name and free in columns):
                free = f"user_{free}"
            apart[free] = value
        return apart

    def to_arrow(self, rows: Sequence[Row]) -> pa.Table:
        """Rows as an Arrow table; columns of the user's own follow as text, in the order of their first appearance."""
        arrays = {
            column.name: pa.array([getattr(row, column.name) for row in rows], column.arrow) for column in self.columns
        }
        schema = self.schema
        if self.has_user_columns:
            user_columns: list[Mapping[str, str | None]] = [getattr(row, USER_COLUMNS) for row in rows]
            for name in dict.fromkeys(name for columns in user_columns for name in columns if name not in arrays):
                schema = schema.append(pa.field(name, pa.string()))
                arrays[name] = pa.array([columns.get(name) for columns in user_columns], pa.string())
        return pa.table(arrays, schema=schema)

    def rows(self, table: pa.Table) -> list[Row]:
        """The rows of an Arrow table that has at least the columns declared."""
        values = {column.name: column.read(table[column.name].to_pylist()) for column in self.columns}
        if self.has_user_columns:
            names = [name for name in table.column_names if name not in values]
            values[USER_COLUMNS] = table.select(names).to_pylist() if names else [{} for _ in range(table.num_rows)]
        return [self.row(**dict(zip(values, row, strict=True))) for row in zip(*values.values(), strict=True)]

    def lacking(self, table: pa.Table) -> list[str]:
        """The declared columns that an Arrow table has not, or has of another type."""
        return [
            column.name
            for column in self.columns
            if column.name not in table.column_names or table.schema.field(column.name).type != column.arrow
        ]


TABLES: dict[str, Table[Any]] = {}


def column(
    doc: str, *, unit: str = "", low: float | None = None, high: float | None = None, arrow: pa.DataType | None = None
) -> Any:
    """A column of a row dataclass. `arrow`: its Arrow type where that is not what the Python type says."""
    return dataclasses.field(metadata={"doc": doc, "unit": unit, "low": low, "high": high, "arrow": arrow})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(column, dataclasses.field))
def table(name: str, doc: str, *, kept: bool = True) -> Callable[[type[Row]], type[Row]]:
    """Declare a table: the decorated class becomes a frozen dataclass of its rows.

    `doc`: what there is one row for. `kept`: whether it is part of a run folder; others are only made on the way.
    Errors: `ValueError` where a table of that name is declared already.
    """

    def declare(kind: type[Row]) -> type[Row]:
        row = dataclasses.dataclass(frozen=True, kw_only=True)(kind)
        hints = typing.get_type_hints(row)
        fields = dataclasses.fields(row)  # type: ignore[arg-type]
        columns = tuple(_column(field, hints[field.name]) for field in fields if field.metadata)
        declared = Table(name, doc, row, columns, USER_COLUMNS in hints)
        if kept:
            if name in TABLES:
                raise ValueError(
                    f"two tables are called {name}: {TABLES[name].row.__qualname__} and {row.__qualname__}"
                )
            TABLES[name] = declared
        row.__table__ = declared  # type: ignore[attr-defined]
        return row

    return declare


def table_of(row: type[Row]) -> Table[Row]:
    """The table of a row dataclass."""
    declared: Table[Row] = row.__table__  # type: ignore[attr-defined]
    return declared


def to_arrow(row: type[Row], rows: Sequence[Row]) -> pa.Table:
    """Rows as an Arrow table; see `Table.to_arrow`."""
    return table_of(row).to_arrow(rows)


def as_json(row: object) -> dict[str, Any]:
    """A row as JSON values, column by column; columns of the user's own stand beside the others."""
    content: dict[str, Any] = {}
    for field in dataclasses.fields(row):  # type: ignore[arg-type]
        value = getattr(row, field.name)
        if field.name == USER_COLUMNS:
            content |= value
        else:
            content[field.name] = list(value) if isinstance(value, tuple) else value
    return content


def _column(field: dataclasses.Field[Any], hint: Any) -> Column:
    nullable = typing.get_origin(hint) in (types.UnionType, typing.Union)
    if nullable:
        (hint,) = (part for part in typing.get_args(hint) if part is not type(None))
    is_list = typing.get_origin(hint) is tuple
    kind = typing.get_args(hint)[0] if is_list else hint
    plain = ARROW[str] if issubclass(kind, StrEnum) else ARROW[kind]
    facts = dict(field.metadata)
    arrow = facts.pop("arrow") or (pa.list_(plain) if is_list else plain)
    return Column(field.name, **facts, kind=kind, is_list=is_list, nullable=nullable, arrow=arrow)
