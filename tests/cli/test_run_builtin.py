"""What `lumiscope run` takes for the built-in study, seen in the study file that it would run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lumiscope.cli import main
from lumiscope.study import builtin_study, load_study
from lumiscope.study.builtin import LIME_SAMPLES
from studies import changed


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["lumiscope", "run", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "changes"),
    [
        ([], {}),
        (["--name", "x", "--seed", "3"], {"name": "x", "seed": 3}),
        (["--methods", "gradcam"], {"methods": ["gradcam"]}),
        (["--layers", "fc", "--similarity", "cos"], {"layers": ["fc"], "similarity": "cos"}),
        (["--option", "lime.num_samples=9"], {"options": {"lime": {"num_samples": 9}}}),
        (
            ["--option", "lime.num_features=5"],
            {"options": {"lime": {"num_samples": LIME_SAMPLES, "num_features": 5}}},
        ),
    ],
)
def test_flags_that_name_no_models_or_images_change_it(
    arguments: list[str], changes: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, *arguments, "--save-config", "study.toml") == 0
    # A changed study gets a folder of its own, unless it is named.
    expected = {"name": None, **changes} if changes else {}
    assert load_study(Path("study.toml")) == changed(builtin_study(), **expected)
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "timm:resnet18"], "--images"),
        (["--images", "world:2"], "expected a model"),
        (["--probe", "world:2"], "expected a model"),
        (["--scorer", "world:clip"], "expected a model"),
        (["--weights", "mine.pt"], "without --model"),
        (["--methods", "gradcm"], "did you mean gradcam"),
    ],
)
def test_half_of_a_study_is_a_mistake(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, *arguments) == 2
    assert said in capsys.readouterr().err
    assert not Path("runs").exists()
