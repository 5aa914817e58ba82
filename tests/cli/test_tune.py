"""`lumiscope tune lime`, and the parameter files of `lumiscope explain`, from the command line."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from lumiscope.cli import main

TINY = ["--model", "python:tiny:make", "--classes", "classes.txt", "--input-size", "32", "--geometry", "squash"]
TUNE = ["tune", "lime", "--images", "labels.csv", *TINY, "--backend", "eager", "--seeds", "2"]
SMALL = ["--segmenters", "grid:rows=3,slic:n_segments=9", "--samples", "20,40", "--features", "1,3"]
BASE = ["--option", "lime.num_samples=40", "--option", "lime.num_features=3"]
LIME = ["explain", "--images", "labels.csv", *TINY, "--backend", "eager", "--methods", "lime"]


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["lumiscope", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("arguments", [["tune", "--help"], ["tune", "lime", "--help"], ["explain", "--help"]])
def test_help(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, *arguments) == 0
    assert "Usage:" in capsys.readouterr().out


def test_tune_tells_writes_and_draws(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--plot", "t.svg", "--save-lime-params", "explain_params.pkl"]
    code = call(monkeypatch, *TUNE, *SMALL, *BASE, "--target", "cat", *files, "--json")
    captured = capsys.readouterr()
    content = json.loads(captured.out)
    skipped = [line for line in captured.err.splitlines() if line.startswith("skipped p")]
    tuned = [row["image"] for row in content["images"]]
    assert code == (3 if skipped else 0)
    assert len(tuned) + len(skipped) == 7
    assert tuned[0] == "p0"
    assert len(content["scores"]) == len(tuned) * 3 * 2 * 2
    p0 = content["images"][0]
    rows = [row for row in content["scores"] if row["image"] == "p0"]
    assert p0["tuned_for"] == "IoU with the mask"
    assert p0["quality"] == p0["iou"] >= max(row["quality"] for row in rows) - 0.01
    assert p0["held_out"] is None, "the only image with a mask"
    assert "fitted to these masks" in captured.err
    assert "no other image to hold out" in captured.err
    saved = pickle.loads(Path("explain_params.pkl").read_bytes())
    assert list(saved) == tuned
    assert saved["p0"]["num_samples"] == p0["samples"]
    assert Path("t.svg").read_text().count(": IoU") == 1
    assert call(monkeypatch, *LIME, "--lime-params", "explain_params.pkl", "--target", "cat", "--json") == 0
    said = capsys.readouterr()
    assert "not here" not in said.err
    arrays = np.load(next(row["array"] for row in json.loads(said.out) if row["image"] == "p0"))
    assert arrays["segments"].max() + 1 == p0["segments"]


def test_the_table_has_a_row_an_image(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("one.csv").write_text("image,mask\npictures/p0.png,mask.png\npictures/p1.png,mask.png\n")
    code = call(
        monkeypatch, *TUNE, "--images", "one.csv", *SMALL, *BASE, "--one-for-all", "--save-lime-params", "p.toml"
    )
    assert code == 0
    header, *rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert header[:4] == ["image", "segmenter", "samples", "features"]
    assert [row[0] for row in rows] == ["p0", "p1"]
    assert Path("p.toml").read_text().startswith("[p0]\n")


def test_explain_reads_and_writes_parameters(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("p.json").write_text(json.dumps({"p1": {"num_samples": 20, "num_features": 2}, "owl": {}}))
    assert call(monkeypatch, *LIME, *BASE[:2], "--lime-params", "p.json", "--save-lime-params", "used.json") == 0
    said = capsys.readouterr().err
    assert "p.json has no parameters for p0, p2, p3, p4, p5 and 1 more: the options of all hold there" in said
    assert "p.json has parameters for images that are not here: owl" in said
    used = json.loads(Path("used.json").read_text())
    assert (used["p0"]["num_samples"], used["p0"]["num_features"]) == (40, 10)
    assert (used["p1"]["num_samples"], used["p1"]["num_features"]) == (40, 2), "a flag wins over the file"
    assert call(monkeypatch, *LIME, "--lime-params", "used.json", "--seed", "8", "--out", "again") == 0
    for number in range(7):
        first, second = (np.load(f"{out}/p{number}.lime.npz")["values"] for out in ("out", "again"))
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([*TUNE, "--segmenters", "slick"], 2, "did you mean slic"),
        ([*TUNE, "--samples", "ten"], 2, "expected --samples as whole numbers"),
        ([*TUNE, "--plot", "t.jpg"], 2, ".png or .svg"),
        ([*TUNE, "--option", "lime.num_sample=3"], 2, "did you mean num_samples"),
        ([*LIME, "--lime-params", "absent.json"], 2, "absent.json"),
        ([*LIME, "--lime-params", "hostile.pkl"], 2, "opcode GLOBAL ('os system') at byte 0"),
        ([*LIME[:-1], "gradcam", "--lime-params", "empty.json"], 2, "--methods lime"),
        ([*LIME[:-1], "gradcam", "--save-lime-params", "x.json"], 2, "--methods lime"),
    ],
)
def test_mistakes_are_told_in_words(
    arguments: list[str],
    code: int,
    said: str,
    workplace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("hostile.pkl").write_bytes(b"cos\nsystem\n(Vtouch ran\ntR.")
    Path("empty.json").write_text("{}")
    assert call(monkeypatch, *arguments) == code
    assert said in capsys.readouterr().err
    assert not Path("ran").exists()


def test_run_takes_parameters_of_single_images(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lumiscope.runs import Run
    from lumiscope.study import load_study

    Path("p.json").write_text(json.dumps({"p1": {"num_samples": 20, "num_features": 2}, "owl": {}}))
    arguments = ["run", "--images", "labels.csv", *TINY, "--methods", "lime", "--backend", "eager", "--name", "r"]
    arguments += ["--lime-params", "p.json"]
    assert call(monkeypatch, *arguments, "--option", "lime.num_samples=30", "--save-config", "deep/study.toml") == 0
    assert load_study(Path("deep/study.toml")).explain.lime_params == str(workplace / "p.json")
    assert call(monkeypatch, "run", "--config", "deep/study.toml", "--runs", "runs") == 0
    run = Run.open(Path("runs/r"))
    told = {f"p{n}": run.saliency_map("make", f"p{n}", "lime").options for n in range(3)}
    assert [options["num_samples"] for options in told.values()] == [30, 30, 30], (
        "what the study says wins over the file"
    )
    assert [options["num_features"] for options in told.values()] == [10, 2, 10]
    assert any("not here: owl" in note for note in run.manifest.image_options)
    assert "1 image with options of their own" in Path("runs/r/report.html").read_text()
