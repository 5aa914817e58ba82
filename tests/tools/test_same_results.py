"""What may differ is reported and allowed; anything else is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from same_results import MOVED, Results, report


def results(folder: Path, *, map_value: float = 0.0, **columns: list[object]) -> Results:
    for name in ("tables", "files"):
        (folder / name).mkdir(parents=True)
    pq.write_table(pa.table({"unit": [0, 1], **columns}), folder / "tables" / "units.parquet")
    np.savez(folder / "maps.npz", **{"lime/values/m/a": np.full(2, map_value)})
    (folder / "files" / "m.csv").write_text("unit\n")
    return Results(folder)


def test_the_same(tmp_path, capsys):
    before, after = results(tmp_path / "before"), results(tmp_path / "after")
    assert report("world", before, after, allowed=[], moved=[]) == 0
    assert capsys.readouterr().out.splitlines() == ["world  units: same", "world  maps: same", "world  files: same"]


@pytest.mark.parametrize(
    ("allowed", "forbidden"), [([], 2), (["units.score"], 1), (["units.*", "maps.lime.values"], 0), (["*"], 0)]
)
def test_values_that_differ_are_forbidden_unless_allowed(tmp_path, capsys, allowed, forbidden):
    before = results(tmp_path / "before", score=[0.5, 1.0])
    after = results(tmp_path / "after", score=[0.5, 2.0], map_value=1.0)
    # A moved column is one that is on one side only: the list does not excuse other values.
    assert report("world", before, after, allowed=allowed, moved=["*"]) == forbidden
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("world  units.score: differs in 1 of 2 rows, first row 1: 1.0 → 2.0")
    assert lines[1].startswith("world  maps.lime.values: changed in 1 maps, first m/a (by 1 at most)")
    assert sum(line.endswith("(allowed)") for line in lines) == 2 - forbidden


@pytest.mark.parametrize(("moved", "forbidden"), [([], 2), (["units.old"], 1), (["units.old", "units.young"], 0)])
def test_columns_on_one_side_are_forbidden_unless_moved(tmp_path, moved, forbidden):
    before, after = results(tmp_path / "before", old=[1, 2]), results(tmp_path / "after", young=[1, 2])
    assert report("world", before, after, allowed=[], moved=moved) == forbidden


def test_every_moved_column_has_a_reason():
    reason = False
    for line in MOVED.read_text().splitlines():
        assert line.startswith("#") or not line or reason, f"{line}: no comment above it says why"
        reason = bool(line)
