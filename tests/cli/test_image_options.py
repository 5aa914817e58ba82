"""`--image-options` of `lumiscope explain` and `lumiscope run`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from lumiscope import Run
from lumiscope.cli import main
from lumiscope.study import load_study

TINY = ["--model", "python:tiny:make", "--classes", "classes.txt", "--input-size", "32", "--geometry", "squash"]
METHODS = ["--images", "labels.csv", *TINY, "--methods", "gaussian,random", "--backend", "eager"]


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["lumiscope", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_explain_and_run_follow_the_file_and_a_flag_wins_over_it(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"p1": {"gaussian": {"sigma": 0.1}, "random": {"random_seed": 3}}, "owl": {}}
    Path("o.json").write_text(json.dumps(said))
    given = ["--image-options", "o.json", "--option", "random.random_seed=4"]
    assert call(monkeypatch, "explain", *METHODS, *given) == 0
    assert "o.json has parameters for images that are not here: owl" in capsys.readouterr().err
    arguments = ["run", *METHODS, *given, "--name", "r"]
    assert call(monkeypatch, *arguments, "--save-config", "deep/study.toml") == 0
    assert load_study(Path("deep/study.toml")).explain.image_options == str(workplace / "o.json")
    assert call(monkeypatch, "run", "--config", "deep/study.toml", "--runs", "runs") == 0
    run = Run.open(Path("runs/r"))
    for number, sigma in enumerate((0.25, 0.1, 0.25)):
        assert run.saliency_map("make", f"p{number}", "gaussian").options == {"sigma": sigma}
        assert run.saliency_map("make", f"p{number}", "random").options == {"random_seed": 4}
    assert [note.removeprefix(f"{workplace}/") for note in run.manifest.image_options] == [
        "o.json has no parameters for p0, p2, p3, p4, p5 and 1 more: the options of all hold there",
        "o.json has parameters for images that are not here: owl",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "at absent.json"), ({"p1": {"gausian": {}}}, "did you mean gaussian"), ({"p1": 3}, "got a int")],
)
@pytest.mark.parametrize("command", ["explain", "run"])
def test_mistakes_end_with_2(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command, content, said
) -> None:
    if content is not None:
        Path("o.json").write_text(json.dumps(content))
    name = "absent.json" if content is None else "o.json"
    assert call(monkeypatch, command, *METHODS, "--image-options", name) == 2
    assert said in capsys.readouterr().err
