from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lumiscope.cli import main

WORLD = ["netdissect", "--probe", "world:20", "--model", "world:objects", "--layers", "stage4"]


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["lumiscope", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all tests keep their results, so that counting is done once."""
    return tmp_path_factory.mktemp("netdissect")


@pytest.fixture(autouse=True)
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def test_units_are_listed_and_written(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, *WORLD, "--json", "--out", "units.parquet") == 0
    captured = capsys.readouterr()
    rows = json.loads(captured.out)
    assert [row["unit"] for row in rows] == list(range(48))
    assert pq.read_table("units.parquet").num_rows == 48
    detectors = [row for row in rows if row["detector"]]
    assert all(row["iou"] >= 0.04 for row in detectors)
    unique = {(row["concept"], row["category"]) for row in detectors}
    assert f"{len(detectors)} of 48 units are detectors, of {len(unique)} concepts" in captured.err


def test_detectors_are_counted_and_a_higher_iou_leaves_fewer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = []
    for iou in ("0.04", "0.15"):
        assert call(monkeypatch, *WORLD, "--count", "--json", "--iou", iou) == 0
        rows = json.loads(capsys.readouterr().out)
        assert [row["category"] for row in rows] == ["scene", "object", "part", "colour", "texture", None]
        assert sum(row["unique_detectors"] for row in rows[:5]) == rows[5]["unique_detectors"]
        counts.append(rows[5]["detectors"])
    assert counts[0] > counts[1]


def test_the_best_concept_of_every_category(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, *WORLD, "--categories", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    best: dict[int, float] = {}
    for row in rows:
        best[row["unit"]] = max(row["iou"], best.get(row["unit"], 0))
    assert call(monkeypatch, *WORLD, "--json") == 0
    assert best == {row["unit"]: row["iou"] for row in json.loads(capsys.readouterr().out)}
    assert len(rows) > 48
    assert rows[0].keys() == {"model", "layer", "unit", "category", "concept", "iou"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "units.txt"], "expected a file that ends in .parquet or .csv"),
        (["--count", "--categories"], "expected one of --categories and --count"),
        (["--quantile", "0"], "expected a quantile between 0 and 1"),
        (["--layers", "stage44"], "did you mean stage4"),
    ],
)
def test_mistakes_are_said_before_anything_is_computed(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, *WORLD, *arguments) == 2
    assert said in capsys.readouterr().err
