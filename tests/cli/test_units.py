"""`lumiscope units` and what `lumiscope dissect` counts and writes."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from lumiscope import run as run_study
from lumiscope.cli import main
from lumiscope.runs import Run, save_table
from lumiscope.study import Study
from studies import changed, without_digests

TINY = ["--model", "python:tiny:make", "--classes", "classes.txt", "--input-size", "32", "--geometry", "squash"]


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["lumiscope", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture
def folder(study: Study) -> str:
    """A run in which every unit that is alive has a label."""
    return str(run_study(changed(study, images=None, fdr=1.0, min_stability=0.0)).folder)


def test_units_of_a_run(folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "units", folder, "--json") == 0
    units = json.loads(capsys.readouterr().out)
    assert [(unit["layer"], unit["unit"]) for unit in units] == [("0", k) for k in range(6)] + [
        ("3", k) for k in range(8)
    ]
    word = next(unit["label"] for unit in units if unit["label"])
    assert call(monkeypatch, "units", folder, "--concept", word, "--json") == 0
    matches = json.loads(capsys.readouterr().out)
    assert {unit["label"] for unit in matches if word not in unit["further_labels"]} == {word}
    assert call(monkeypatch, "units", folder, "--layer", "3", "--limit", "2") == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 3
    assert "the first 2 of 8 units" in captured.err
    assert call(monkeypatch, "units", folder, "--unit", "3:5") == 0
    text = capsys.readouterr().out
    for line in ("layer: 3", "unit: 5", "most similar: ", "most active on: p"):
        assert line in text


def test_a_unit_has_a_page_and_mistakes_are_told(
    folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "units", folder, "--unit", "3:5", "--page", "unit.html") == 0
    assert "wrote unit.html" in capsys.readouterr().err
    assert "part of probing image" in Path("unit.html").read_text()
    for arguments, said in (
        (["--page", "all.html"], "expected one unit for --page, found 14"),
        (["--unit", "3:5", "--page", "unit.txt"], "ends in .html"),
        (["--concept", "whel"], "did you mean wheel"),
        (["--layer", "4"], "unknown layer '4'"),
    ):
        assert call(monkeypatch, "units", folder, *arguments) == 2
        assert said in capsys.readouterr().err


def test_pictures_are_whole_where_the_model_has_changed(
    folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_digests(Path(folder))
    (Path(folder) / "tables" / "unit_crops.parquet").unlink()
    assert call(monkeypatch, "units", folder, "--unit", "3:5", "--page", "unit.html") == 0
    assert "part of probing image" in Path("unit.html").read_text()
    models = Run.open(folder).table("models")
    other = models.set_column(models.column_names.index("fingerprint"), "fingerprint", [["another"]])
    save_table(other, Path(folder) / "tables" / "models.parquet")
    assert call(monkeypatch, "units", folder, "--unit", "3:5", "--page", "unit.html") == 0
    assert "not cropped: the model make is not what it was" in capsys.readouterr().err
    assert "part of probing image" not in Path("unit.html").read_text()


def test_a_run_of_another_version_is_told_from_a_bug(
    folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_digests(Path(folder))
    save_table(Run.open(folder).table("units").drop(["q_value"]), Path(folder) / "tables" / "units.parquet")
    for command in ("units", "report"):
        assert call(monkeypatch, command, folder) == 1
        said = capsys.readouterr().err
        assert "expected the columns q_value" in said
        assert "another version of lumiscope made this run" in said


def test_dissect_counts_concepts_and_goes_on_where_it_was(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    easy = ["--similarity", "cos", "--fdr", "1", "--min-stability", "0", "--json"]
    arguments = ["dissect", "--probe", "pictures", *TINY, "--scorer", "table:scores.npz", "--layers", "0,3", *easy]
    assert call(monkeypatch, *arguments, "--clip-dissect", "d.csv") == 0
    units = json.loads(capsys.readouterr().out)
    described = list(csv.DictReader(Path("d.csv").read_text().splitlines()))
    assert [row["description"] for row in described] == [(unit["best_concepts"] or [""])[0] for unit in units]
    shards = {path: path.stat().st_mtime_ns for path in Path("runs/.store").rglob("*.safetensors")}
    assert shards
    assert call(monkeypatch, *arguments, "--count", "red,wheel") == 0
    counts = {(row["layer"], row["concept"]): row["units"] for row in json.loads(capsys.readouterr().out)}
    assert {path: path.stat().st_mtime_ns for path in Path("runs/.store").rglob("*.safetensors")} == shards
    for layer in ("0", "3", None):
        for word in ("red", "wheel"):
            labelled = [unit for unit in units if unit["label"] == word and layer in (None, unit["layer"])]
            assert counts[layer, word] == len(labelled)
    assert call(monkeypatch, *arguments, "--count", "rde") == 2
    assert "unknown concept 'rde': did you mean red" in capsys.readouterr().err
    assert call(monkeypatch, *arguments, "--out", "units.txt") == 2
