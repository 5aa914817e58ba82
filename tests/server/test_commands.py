"""`lumiscope challenge` and `lumiscope submit`, as a user types them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lumiscope.cli import main
from lumiscope.server.challenges import Challenge, open_challenge


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process: exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lumiscope", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def test_a_challenge_is_made_and_checked(tmp_path: Path, call: Callable[..., tuple[int, str, str]]) -> None:
    folder = str(tmp_path / "mine")
    made = ["--images", "world:2@4", "--model", "world:objects", "--methods", "gradcam", "--limits", "num_samples=50"]
    code, out, _ = call("challenge", "init", folder, *made, "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts["name"] == "mine"
    assert facts["baselines"] == ["random", "centred", "best"]
    assert open_challenge(folder).limits.num_samples == 50
    assert call("challenge", "check", folder)[0] == 0
    (tmp_path / "mine" / "truth" / "picture-01.png").unlink()
    code, out, _ = call("challenge", "check", folder, "--json")
    assert code == 1
    assert [row["remark"] for row in json.loads(out)] == ["picture-01: the true mask of picture-01: file not found"]
    code, _, err = call("challenge", "init", folder)
    assert code == 2
    assert "holds something" in err


def test_a_template_is_scored_as_it_is(
    tmp_path: Path, challenge: Challenge, call: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, _ = call("submit", "--template", "--challenge", str(challenge.folder), "--method", "gradcam")
    assert code == 0
    file = tmp_path / "p.json"
    file.write_text(out)
    code, out, err = call("submit", "--check", str(file), "--challenge", str(challenge.folder))
    assert code == 0
    assert [line.split("\t")[0] for line in out.splitlines()] == [
        "image",
        *(image.name for image in challenge.public),
        "mean",
    ]
    assert "Mean IoU" in err
    code, out, _ = call("submit", "--check", str(file), "--challenge", str(challenge.folder), "--json")
    assert json.loads(out)["state"] == "scored"


def test_faults_are_listed_and_end_with_1(
    tmp_path: Path, challenge: Challenge, call: Callable[..., tuple[int, str, str]]
) -> None:
    file = tmp_path / "p.json"
    file.write_text("{}")
    code, out, err = call("submit", "--check", str(file), "--challenge", str(challenge.folder))
    assert code == 1
    assert out.splitlines()[1] == "picture-01\tan entry for every image\tnone"
    assert "would refuse this file, for 4 reasons" in err


@pytest.mark.parametrize(
    "arguments", [[], ["--template", "--check"], ["--check"], ["--check", "none.json"], ["x.json"]]
)
def test_what_is_missing_is_said(
    arguments: list[str], challenge: Challenge, call: Callable[..., tuple[int, str, str]]
) -> None:
    code, _, err = call("submit", *arguments, "--challenge", str(challenge.folder))
    assert code == 2
    assert "expected" in err
