from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lumiscope.cli import main

TINY = ["--model", "python:tiny:make", "--classes", "classes.txt", "--input-size", "32", "--geometry", "squash"]


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["lumiscope", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_help_is_quick_and_loads_no_torch() -> None:
    script = (
        "import sys, runpy; sys.argv = ['lumiscope', '--help']\n"
        "try: runpy.run_module('lumiscope', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'torch', 'numpy', 'pydantic', 'pyarrow', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert "run " in done.stdout
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert seconds < 0.5, "of work, whatever else the machine does"


@pytest.mark.parametrize(
    "command", ["run", "explain", "dissect", "compare", "report", "models", "layers", "methods", "concepts", "world"]
)
def test_every_command_has_help(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, command, "--help") == 0
    assert "Usage:" in capsys.readouterr().out


def test_run_writes_the_report_and_says_where(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", "--images", "labels.csv", *TINY, "--methods", "gradcam,scorecam", "--name", "r"]
    assert call(monkeypatch, *arguments) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == str(Path("runs/r/report.html"))
    assert Path("runs/r/report.html").is_file()
    assert "agree" in captured.err
    assert call(monkeypatch, "compare", "runs/r", "--json") == 0
    assert {row["method_b"] for row in json.loads(capsys.readouterr().out)} == {"scorecam", "ground_truth"}
    Path("runs/r/report.html").unlink()
    assert call(monkeypatch, "report", "runs/r") == 0
    assert Path("runs/r/report.html").is_file()


def test_skipped_images_give_exit_code_3_and_are_named(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pictures/bad.jpg").write_bytes(b"not an image at all")
    run = ["run", "--images", "pictures", *TINY, "--methods", "gradcam", "--json"]
    assert call(monkeypatch, *run) == 3
    skipped = json.loads(capsys.readouterr().out)["skipped"]
    assert [row["name"] for row in skipped] == ["bad.jpg"]
    assert call(monkeypatch, *run, "--on-error", "stop") == 1
    assert "bad.jpg" in capsys.readouterr().err


def test_save_config_and_run_it_again(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--images", "labels.csv", *TINY, "--methods", "lime", "--option", "lime.num_samples=20"]
    assert call(monkeypatch, "run", *flags, "--masks", "lime=top:10%", "--save-config", "s.toml") == 0
    assert not Path("runs").exists()
    assert call(monkeypatch, "run", "--config", "s.toml", "--target", "label", "--json") == 0
    capsys.readouterr()
    from lumiscope.runs import Run
    from lumiscope.study import load_study

    (folder,) = (path.parent for path in Path("runs").glob("*/study.toml"))
    run = Run.open(folder)
    assert run.manifest.target == load_study(run.study_file).explain.target == "label"
    assert run.saliency_map("make", "p0", "lime").options["num_samples"] == 20
    assert run.manifest.mask_rules == {"lime": "top:10%"}


def test_explain_writes_overlays_and_arrays(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["explain", "--images", "labels.csv", *TINY, "--methods", "gradcam,lime", "--out", "maps"]
    assert call(monkeypatch, *arguments, "--option", "lime.num_samples=20", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 14
    assert all(Path(row["overlay"]).is_file() for row in rows)
    arrays = np.load(next(row["array"] for row in rows if row["method"] == "lime"))
    np.testing.assert_allclose(arrays["values"], arrays["coefficients"][arrays["segments"]], rtol=1e-6)


def test_explain_says_what_was_assumed_and_which_maps_show_nothing(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["import tiny", "def zeros():", "    net = tiny.make()"]
    lines += [f"    net[-1].{part}.data.zero_()" for part in ("weight", "bias")]
    Path("zeros.py").write_text("\n".join([*lines, "    return net"]))
    model = ["--model", "python:zeros:zeros", "--input-size", "32"]
    arguments = ["explain", "--images", "pictures", *model, "--methods", "gradcam,ablationcam,saliency", "--json"]
    assert call(monkeypatch, *arguments) == 0
    said = capsys.readouterr().err.splitlines()
    assert "zeros: nothing states this model's preprocessing; assumed: ImageNet mean, ImageNet std" in said
    seven = "p0, p1, p2 and 4 more"
    assert f"{seven}, gradcam: blank: no position of the layer speaks for the class" in said
    assert f"{seven}, ablationcam: blank: no position of the layer speaks for the class" in said
    assert f"{seven}, saliency: blank: no pixel speaks for the class" in said


def test_dissect_lists_units_and_counts(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["dissect", "--probe", "pictures", *TINY, "--scorer", "table:scores.npz", "--layers", "3"]
    assert call(monkeypatch, *arguments, "--similarity", "cos", "--json", "--out", "u.csv") == 0
    units = json.loads(capsys.readouterr().out)
    assert [unit["unit"] for unit in units] == list(range(8))
    assert Path("u.csv").read_text().count("\n") == 9
    assert call(monkeypatch, *arguments, "--similarity", "cos", "--json", "--count", "*") == 0
    counts = json.loads(capsys.readouterr().out)
    labelled = sum(unit["label"] is not None for unit in units)
    assert sum(row["units"] for row in counts if row["layer"] is not None) == labelled


def test_lists(workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "layers", *TINY[1:], "--json") == 0
    layers = {row["layer"]: row for row in json.loads(capsys.readouterr().out)}
    expected = {"layer": "3", "type": "ReLU", "shape": [8, 8, 8], "units": 8, "class_token": "", "role": "target"}
    assert layers["3"] == expected
    assert call(monkeypatch, "models", "timm:resnet1?", "--json") == 0
    assert {"model": "timm:resnet18"} in json.loads(capsys.readouterr().out)
    assert call(monkeypatch, "methods", "--json") == 0
    assert {row["method"] for row in json.loads(capsys.readouterr().out)} >= {"gradcam", "lime"}
    assert call(monkeypatch, "methods") == 0
    lime = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("lime\t"))
    assert "segmenter, segmenter_options, hide, " in lime
    assert call(monkeypatch, "concepts", "--counts", "--json") == 0
    assert sum(row["concepts"] for row in json.loads(capsys.readouterr().out)) >= 2500


def test_methods_teach_the_options_of_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "methods", "lime") == 0
    captured = capsys.readouterr()
    assert "Set one with --option lime.segmenter=quickshift" in captured.err
    rows = {cells[0]: cells[1:] for cells in (line.split("\t") for line in captured.out.splitlines())}
    assert rows["option"] == ["values", "default", "meaning"]
    assert rows["hide"][:2] == ["mean | blur | noise | inpaint | color", "mean"]
    assert rows["num_samples"][:2] == ["whole number of at least 2 | auto", "1000"]
    assert "pictures with hidden segments" in rows["num_samples"][2]
    assert rows["random_seed"][:2] == ["whole number from 0 to 4294967295 | None", "None"]
    assert rows["segmenter_options of grid"][:2] == ["rows, columns", "rows=7, columns=7"]
    assert call(monkeypatch, "methods", "lime", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    options = {row["option"]: row for row in facts["options"]}
    assert options["positive_only"]["default"] is True
    assert options["random_seed"]["default"] is None
    assert {row["segmenter"]: row["default"] for row in facts["segmenters"]}["slic"]["n_segments"] == 50
    assert call(monkeypatch, "methods", "gradcam", "--json") == 0
    assert "segmenters" not in json.loads(capsys.readouterr().out)
    assert call(monkeypatch, "methods", "lim") == 2
    assert "did you mean lime" in capsys.readouterr().err


def test_what_makes_maps_doubtful_is_told_after_them_and_only_once(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--option", "kernelshap.num_samples=10", "--option", "kernelshap.segmenter=grid"]
    flags = ["--images", "labels.csv", *TINY, "--methods", "gradcam,kernelshap", *few, "--backend", "eager"]
    assert call(monkeypatch, "explain", *flags) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "kernelshap" in line or "gradcam" in line]
    assert lines == ["p0, p1, p2 and 4 more, kernelshap: 10 samples are few for 49 segments: take 5 for each"]
    assert call(monkeypatch, "run", *flags, "--name", "r") == 0
    assert "kernelshap: 7 maps have warnings; the report shows them" in capsys.readouterr().err
    page = Path("runs/r/report.html").read_text()
    assert page.count("<b>Caution:</b> 10 samples are few for 49 segments") == 7


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "--images", "labels.csv"], 2, "expected a model"),
        (["run", *TINY], 2, "--images"),
        (["run", "--images", "nowhere", *TINY], 2, "nowhere"),
        (["run", "--images", "labels.csv", *TINY, "--methods", "gradcm"], 2, "did you mean gradcam"),
        (["run", "--images", "labels.csv", *TINY, "--option", "lime=3"], 2, "METHOD.KEY=VALUE"),
        (["run", "--images", "labels.csv", *TINY, "--masks", "gradcam=topp:3"], 2, "top"),
        (["run", "--images", "labels.csv", *TINY, "--model", "timm:resnet18"], 2, "one model only"),
        (["run", "--images", "labels.csv", "--model", "tim:resnet18"], 2, "did you mean timm"),
        (["run", "--images", "labels.csv", *TINY, "--weights", "no.pt"], 1, "--weights FILE"),
        (["run", "--images", "labels.csv", *TINY, "--target", "nothing"], 1, "no class 'nothing'"),
        (["compare", "."], 2, "expected a run folder"),
        (["concepts", "--category", "color"], 2, "did you mean colour"),
        (["nonsense"], 2, ""),
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
    assert call(monkeypatch, *arguments) == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_python_dash_m(workplace: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lumiscope", "run", "--config", "absent.toml"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("lumiscope: expected a TOML file")
