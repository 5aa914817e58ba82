"""`--weights-partial` that leaves the classifier random: no classes are explained, inner layers are dissected."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from lumiscope import ModelConfig, Study, load_study, run
from lumiscope.cli import main
from lumiscope.errors import TargetError
from lumiscope.study.config.files import save_study

MODEL = ("--model", "python:tiny:make", "--input-size", "32", "--weights", "other.pt", "--weights-partial")


@pytest.fixture
def other(workplace: Path, load_module) -> Path:
    """A checkpoint of the tiny network with ten classes, in `workplace`."""
    tiny = load_module("tiny_of_workplace", str(workplace / "tiny.py"))
    torch.save({"state_dict": tiny.make(num_classes=10).state_dict()}, workplace / "other.pt")
    return workplace


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["lumiscope", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_classes_are_not_explained_unless_that_is_meant(other, monkeypatch, capsys) -> None:
    images = ("--images", "pictures/p0.png")
    assert call(monkeypatch, "explain", *MODEL, *images) == 1
    said = capsys.readouterr().err
    assert "the last layers with weights (6) are not trained" in said
    assert "--weights random-head" in said
    assert call(monkeypatch, "explain", *MODEL, *images, "--unit", "2:3") == 0
    assert call(monkeypatch, "explain", *MODEL, *images, "--weights", "random-head") == 0
    assert "(6) are not trained" in capsys.readouterr().err


def test_inner_layers_are_dissected_with_the_note_in_the_report(other) -> None:
    model = ModelConfig(spec="python:tiny:make", weights="other.pt", weights_partial=True, input_size=32)
    dissect = {"probe": "pictures", "scorer": "table:scores.npz", "layers": ["2"]}
    result = run(Study(models=[model], dissect=dissect, name="inner"))
    assert result.table("units").num_rows == 8
    (row,) = result.table("models").to_pylist()
    assert any("(6) are not trained" in note for note in row["notes"])
    with pytest.raises(TargetError, match="has no classes to explain"):
        run(Study(models=[model], images="pictures", methods=["gradcam"], name="classes"))


def test_weights_and_random_head_survive_a_study_file(other) -> None:
    model = ModelConfig(spec="python:tiny:make", weights=["other.pt", "random-head"], weights_partial=True)
    save_study(Study(models=[model], images="pictures", name="x"), other / "study.toml")
    (read,) = load_study(other / "study.toml").models
    assert read.weights == [str(other / "other.pt"), "random-head"]


def test_a_random_trunk_is_refused_as_a_random_classifier_is(workplace, load_module, monkeypatch, capsys) -> None:
    state = load_module("tiny_of_workplace", str(workplace / "tiny.py")).make().state_dict()
    torch.save({key: value for key, value in state.items() if key.startswith("6.")}, workplace / "other.pt")
    assert call(monkeypatch, "explain", *MODEL, "--images", "pictures/p0.png") == 1
    said = capsys.readouterr().err
    assert "layers that its scores pass through (0" in said
    assert "--weights random-head" in said
    assert call(monkeypatch, "explain", *MODEL, "--images", "pictures/p0.png", "--weights", "random-head") == 0
    model = ModelConfig(spec="python:tiny:make", weights="other.pt", weights_partial=True, input_size=32)
    dissect = {"probe": "pictures", "scorer": "table:scores.npz", "layers": ["2"]}
    (row,) = run(Study(models=[model], dissect=dissect, name="inner")).table("models").to_pylist()
    assert any("are not trained: they and all behind them are as random" in note for note in row["notes"])
