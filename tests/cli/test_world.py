from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from lumiscope.cli import main


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["lumiscope", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_dataset_and_sheet_at_once(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["world", "--out", "data", "--count", "2", "--seed", "4", "--sheet", "sheet.png"]
    assert call(monkeypatch, *arguments, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"sheet": "sheet.png", "labels": str(Path("data/labels.csv")), "count": 2, "seed": 4}
    assert Path("sheet.png").is_file()
    assert sorted(path.name for path in Path("data/images").iterdir()) == ["world-4-00000.png", "world-4-00001.png"]
    assert call(monkeypatch, *arguments) == 0
    assert capsys.readouterr().out.split() == ["sheet.png", str(Path("data/labels.csv"))]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--out DIR, --sheet FILE.png, or both"),
        (["--sheet", "sheet.jpg"], "ends in .png"),
        (["--out", ".", "--count", "1"], "holds other things already, such as mine.txt"),
        (["--out", "new", "--count", "0"], "at least 1"),
        (["--out", "new", "--seed", "-1"], "seed to be from 0 to 4294967295; got -1"),
        (["--out", "new", "--seed", "4294967296"], "seed to be from 0 to 4294967295; got 4294967296"),
        (["--out", "mine.txt", "--sheet", "sheet.png"], "mine.txt is a file"),
        (["--out", "new", "--sheet", "sheet.jpg"], "ends in .png"),
        (["--out", "new", "--sheet", "folder.png"], "cannot write to folder.png: it is a folder"),
        (["--sheet", "folder.png"], "cannot write to folder.png: it is a folder"),
        (["--sheet", "mine.txt/sheet.png"], "cannot write to mine.txt/sheet.png: "),
        (["--out", "mine.txt/sub"], "cannot write to mine.txt/sub: Not a directory"),
    ],
)
def test_mistakes(
    arguments: list[str],
    said: str,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("mine.txt").write_text("mine")
    Path("folder.png").mkdir()
    assert call(monkeypatch, "world", *arguments) == 2
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in here.rglob("*")) == ["folder.png", "mine.txt"], "nothing was written"


def test_help_names_what_it_speaks_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "world", "--help") == 0
    shown = capsys.readouterr().out
    assert "--out DIR" in shown
    assert "DIR gets images/" in shown
    assert "--sheet FILE.png" in shown


def test_its_images_are_a_source_everywhere(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = ["--model", "python:tiny:make", "--classes", "classes.txt", "--input-size", "32", "--geometry", "squash"]
    assert call(monkeypatch, "explain", "--images", "world:2@9", *tiny, "--json") == 0
    assert [row["image"] for row in json.loads(capsys.readouterr().out)] == ["world-9-00000", "world-9-00001"]
    assert call(monkeypatch, "explain", "--images", "world:two", *tiny) == 2
    assert "world:COUNT" in capsys.readouterr().err
