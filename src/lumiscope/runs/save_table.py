"""Tables as files: those of a run, and one for whoever computes with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lumiscope.errors import UsageError
from lumiscope.files import write_atomically


def write_tables(tables: Mapping[str, pa.Table], folder: Path) -> dict[str, str]:
    """Write every table as Parquet; return the digest of each (see `digest_of`). The same tables give the same bytes.

    Errors: `StoreError`.
    """
    digests: dict[str, str] = {}
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        content = sink.getvalue().to_pybytes()
        write_atomically(folder / f"{name}.parquet", content)
        digests[name] = digest_of(content)
    return digests


def digest_of(content: bytes) -> str:
    """Sha256 (hex) of a table's file."""
    return hashlib.sha256(content).hexdigest()


def save_table(table: pa.Table, path: Path) -> None:
    """Write one table as .parquet or .csv; lists become text in a CSV. Errors: `UsageError` for other endings."""
    from pyarrow import csv

    check_table_path(path)
    if path.suffix == ".parquet":
        write_tables({path.stem: table}, path.parent)
        return
    for place, column in enumerate(table.schema):
        if pa.types.is_list(column.type):
            joined = ["|".join(map(str, row or [])) for row in table.column(place).to_pylist()]
            table = table.set_column(place, column.name, pa.array(joined, pa.string()))
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink)
    write_atomically(path, sink.getvalue().to_pybytes())


def check_table_path(path: Path) -> None:
    """Errors: `UsageError` for a file that `save_table` does not write."""
    if path.suffix not in (".parquet", ".csv"):
        raise UsageError(f"expected a file that ends in .parquet or .csv; got {path}")
