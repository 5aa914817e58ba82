"""`lumiscope explain --unit` and `lumiscope why`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from lumiscope.cli import main
from lumiscope.runs import (
    TABLES,
    ContributionRow,
    JudgementRow,
    Machine,
    Manifest,
    PredictionRow,
    to_arrow,
    write_tables,
)
from lumiscope.testing import fake_row

TINY = ["--model", "python:tiny:make", "--classes", "classes.txt", "--input-size", "32", "--geometry", "squash"]
EXPLAIN = ["explain", "--images", "pictures/p0.png", *TINY, "--out", "maps"]


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["lumiscope", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_explain_a_unit(workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, *EXPLAIN, "--unit", "3:5", "--methods", "gradcam,lime", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["method"], row["target"], row["probability"]) for row in rows] == [
        ("gradcam", "3:5", None),
        ("lime", "3:5", None),
    ]
    assert [Path(row["overlay"]).name for row in rows] == ["p0.gradcam.3-5.png", "p0.lime.3-5.png"]
    assert all(Path(row["overlay"]).is_file() for row in rows)
    assert np.isfinite(np.load(rows[1]["array"])["values"]).all()
    assert rows[0]["score"] == rows[1]["score"]
    assert call(monkeypatch, *EXPLAIN, "--unit", "3:5") == 0
    header, line = (text.split("\t") for text in capsys.readouterr().out.splitlines())
    assert header[3] == "score"
    assert line[3] == f"{rows[0]['score']:.3f}"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--unit", "3"], 2, "expected a unit as LAYER:NUMBER, so layer4:447; got '3'"),
        (["--unit", "3:8"], 2, "from 0 to 7, as it has 8; got 8"),
        (["--unit", "fetures:1"], 2, "unknown layer 'fetures'"),
        (["--unit", "3:1", "--target", "cat"], 2, "a unit or a target to explain; got both"),
        (["--unit", "1:1", "--target-layer", "3"], 1, "3 comes after them"),
    ],
)
def test_mistakes(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], code: int, said: str,
) -> None:  # fmt: skip
    assert call(monkeypatch, *EXPLAIN, *arguments) == code
    assert said in capsys.readouterr().err


def test_an_earlier_target_layer(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, *EXPLAIN, "--unit", "3:5", "--target-layer", "1", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["target"] == "3:5"


def write_run(folder: Path, rows: list[ContributionRow]) -> None:
    """A run folder with nothing but contributions, and what was predicted and explained."""
    places = [(model, image) for model in ("one", "two") for image in ("goldfish", "shark")]
    predictions = [
        fake_row(PredictionRow, model=model, image=image, rank=1, short_name="goldfish", probability=0.934)
        for model, image in places
    ]
    judgements = [
        fake_row(JudgementRow, model=model, image=image, target_short_name="goldfish") for model, image in places
    ]
    tables = {
        "contributions": to_arrow(ContributionRow, rows),
        "judgements": to_arrow(JudgementRow, judgements),
        "predictions": to_arrow(PredictionRow, predictions),
    }
    write_tables({name: TABLES[name].to_arrow([]) for name in TABLES} | tables, folder / "tables")
    (folder / "study.toml").write_text("")
    machine = Machine(system="", python="", processor="", cores=1, threads=1)
    when = {"started": "2026-01-01", "finished": "2026-01-01", "seconds": 1.0}
    manifest = Manifest(name="r", lumiscope="1", seed=0, target="predicted", machine=machine, versions={}, **when)
    manifest.write(folder / "manifest.json")


def contributions(model: str, image: str) -> list[ContributionRow]:
    units = [(12, "orange", 3.1), (99, "fin", 2.2), (7, None, -0.5)]
    facts = {
        "model": model, "image": image, "layer": "layer4", "score": 11.0,
        "baseline_score": 1.0, "total": 9.98, "labelled_total": 6.0, "completeness_error": 0.002,
    }  # fmt: skip
    return [
        fake_row(
            ContributionRow,
            rank=rank,
            unit=unit,
            label=label,
            contribution=contribution,
            share=contribution / 10,
            removal_share=contribution / 10,
            **facts,
        )
        for rank, (unit, label, contribution) in enumerate(units, 1)
    ]


def test_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(
        tmp_path, contributions("one", "goldfish") + contributions("one", "shark") + contributions("two", "goldfish")
    )
    assert call(monkeypatch, "why", str(tmp_path), "--image", "goldfish", "--model", "one", "--top", "2") == 0
    assert capsys.readouterr().out.strip() == (
        "goldfish (predicted goldfish, 0.93): orange 0.31 (layer4:12), fin 0.22 (layer4:99); these 2 units are 53% of "
        "what the layer adds to the score, those with a label 60%, all units together 99.8%"
    )
    assert call(monkeypatch, "why", str(tmp_path)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" (")[0] for line in lines] == ["one: goldfish", "one: shark", "two: goldfish"]
    assert call(monkeypatch, "why", str(tmp_path), "--json", "--top", "1") == 0
    first = json.loads(capsys.readouterr().out)[0]
    unit = {
        "address": "layer4:12",
        "label": "orange",
        "nearest": None,
        "share": 0.31,
        "contribution": 3.1,
        "error": 0.0,
        "removal": 0.31,
    }
    assert first["units"] == [unit]
    assert (first["shown_units"], first["error"]) == (0.31, 0.002)
    assert first["all_units"] == pytest.approx(0.998)


def test_why_with_names_that_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path / "run", contributions("one", "goldfish"))
    assert call(monkeypatch, "why", str(tmp_path / "run"), "--image", "goldfsh") == 2
    assert "did you mean goldfish?" in capsys.readouterr().err
    assert call(monkeypatch, "why", str(tmp_path / "run"), "--model", "tow") == 2
    assert "unknown model 'tow'" in capsys.readouterr().err
    write_run(tmp_path / "without", [])
    assert call(monkeypatch, "why", str(tmp_path / "without")) == 2
    assert "--probe and --scorer" in capsys.readouterr().err
    assert call(monkeypatch, "why", str(tmp_path / "nowhere")) == 2
