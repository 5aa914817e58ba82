"""Names of files that are legal and odd: maps are written under safe names, or the file is skipped in words."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from lumiscope.cli import main
from lumiscope.report.map_files import safe_name

OPTIONS = ["--model", "world:objects", "--methods", "gaussian", "--backend", "eager"]
ODD = [
    "a\nb",
    "-dash",
    "a'b\"c",
    "<b>&amp;",
    "100%#?",
    "a:b|c*",
    "[ab]",
    "  spaces  ",
    "$(id)",
    "猫" * 80,
    "x" * 250,
    "~me",
]
SHORT = 60  # bytes that name a method and an ending


def digits(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("plain name.v2", "plain name.v2"),
        ("a/b", "a-b~" + digits("a/b")),
        ("a\nb", "a-b~" + digits("a\nb")),
        ("x" * 100, "x" * 100),
        ("x" * 101, "x" * 100 + "~" + digits("x" * 101)),
        ("é" * 51, "é" * 50 + "~" + digits("é" * 51)),
        ("-rf", "_rf~" + digits("-rf")),
        ("<b>", "_b-~" + digits("<b>")),
        ("a-b", "a-b"),
        ("con", "con~" + digits("con")),
        ("Aux.v2", "Aux-v2~" + digits("Aux.v2")),
        ("COM1", "COM1~" + digits("COM1")),
        ("console", "console"),
    ],
)
def test_a_name_that_is_changed_has_digits_of_its_own(name, safe):
    assert safe_name(name) == safe


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p").mkdir()
    Image.new("RGB", (160, 120), "red").save(tmp_path / "first.png")
    return tmp_path


@pytest.fixture
def call(monkeypatch, capsys) -> Callable[..., tuple[int, str]]:
    """Run the command line in this process: its exit code, and what it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["lumiscope", *arguments])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


def put(folder: Path, names: list[str | bytes]) -> None:
    for name in names:
        shutil.copy("first.png", os.path.join(os.fsencode(folder), os.fsencode(name)))


def test_odd_names_are_explained(folder, call):
    put(folder / "p", [f"{name}.png" for name in ODD])
    code, output = call("explain", "--images", "p", *OPTIONS, "--out", "out")
    assert code == 0, output
    written = sorted(path.name for path in (folder / "out").iterdir())
    assert written == sorted(f"{safe_name(name)}.gaussian.{end}" for name in ODD for end in ("png", "npz"))
    assert max(len(name.encode()) for name in written) <= 100 + 9 + SHORT


def test_a_run_of_odd_names(folder, call):
    put(folder / "p", [f"{name}.png" for name in ODD])
    code, output = call("run", "--images", "p", *OPTIONS, "--name", "r")
    assert code == 0, output
    page = (folder / "runs/r/report.html").read_text()
    assert "<b>&amp;" not in page
    assert "&lt;b&gt;&amp;amp;" in page


@pytest.mark.parametrize("command", ["explain", "run"])
def test_a_name_that_is_no_text_is_skipped(folder, call, command):
    put(folder / "p", [b"a\xff\xfe.png", "good.png"])
    code, output = call(command, "--images", "p", *OPTIONS)
    assert code == 3, output
    assert "a\\xff\\xfe.png: its path" in output
    assert "is not UTF-8 text, as tables need it: rename it" in output


def test_a_folder_whose_name_is_no_text_is_refused_in_words(folder, call):
    os.mkdir(b"q\xff")
    put(Path(os.fsdecode(b"q\xff")), ["a.png"])
    code, output = call("explain", "--images", os.fsdecode(b"q\xff"), *OPTIONS)
    assert code == 1
    assert "q\\xff/a.png is not UTF-8 text" in output


@pytest.mark.parametrize(("listed", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_one_letter_in_two_spellings_in_a_list(folder, call, listed, stored):
    name = "caf\u00e9"
    (folder / unicodedata.normalize(stored, f"p/{name}")).mkdir()
    put(folder / unicodedata.normalize(stored, f"p/{name}"), [unicodedata.normalize(stored, f"{name}.png")])
    row = unicodedata.normalize(listed, f"{name}/{name}.png")
    (folder / "p/list.csv").write_text(f"image,mask\n{row},{row}\n")
    code, output = call("explain", "--images", "p/list.csv", *OPTIONS, "--out", "out")
    assert code == 0, output
    assert (folder / "out" / f"{name}.gaussian.png").is_file()
    source = unicodedata.normalize(listed, f"p/{name}")
    code, output = call("explain", "--images", source, *OPTIONS, "--out", "out2")
    assert code == 0, output
