"""The world as files: what is written is what the renderer says, and it reads back as images."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.images import open_images
from lumiscope.world import OBJECTS, WORDS, render
from lumiscope.world import dataset as written
from lumiscope.world._palette import label_palette
from lumiscope.world.dataset import write_dataset
from lumiscope.world.sheet import GAP, write_sheet

COUNT, SEED = 3, 5


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "world"
    assert write_dataset(folder, COUNT, SEED) == folder / "labels.csv"
    return folder


def test_files_hold_what_the_renderer_says(folder: Path) -> None:
    for index, row in enumerate(rows(folder / "labels.csv")):
        scene = render(index, SEED)
        np.testing.assert_array_equal(np.asarray(Image.open(folder / row["image"])), scene.pixels)
        np.testing.assert_array_equal(np.asarray(Image.open(folder / row["mask"])) == 255, scene.mask)
        facts = (row["object"], row["scene"], row["colour"], row["texture"], row["caption"])
        assert facts == (scene.object, scene.scene, scene.colour, scene.texture, scene.caption)
        for kind in WORDS:
            labels = Image.open(folder / "labels" / kind / Path(row["image"]).name)
            assert labels.mode == "P"
            np.testing.assert_array_equal(np.asarray(labels), scene.labels[kind])


def test_concepts_say_what_the_numbers_mean(folder: Path) -> None:
    words = {(row["kind"], int(row["number"])): row["word"] for row in rows(folder / "concepts.csv")}
    assert words == {(kind, k + 1): word for kind, members in WORDS.items() for k, word in enumerate(members)}


def test_the_list_opens_as_the_same_images(folder: Path) -> None:
    files, drawn = open_images(folder / "labels.csv"), open_images(f"world:{COUNT}@{SEED}")
    assert (files.skipped, files.notes) == ((), ())
    for file, image in zip(files, drawn, strict=True):
        assert (file.id, file.class_names) == (image.id, image.class_names)
        assert {name: file.columns[name] for name in image.columns} == image.columns
        np.testing.assert_array_equal(file.pixels, image.pixels)
        np.testing.assert_array_equal(file.mask, image.mask)


def test_order_and_processes_do_not_matter(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "FEW", 0)
    monkeypatch.setattr(written, "CHUNK", 1)
    write_dataset(tmp_path, COUNT, SEED)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*.*"))
    assert len(files) == COUNT * (2 + len(WORDS)) + 2
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    for file in files:
        assert (folder / file).read_bytes() == (tmp_path / file).read_bytes(), file


def test_a_script_without_a_main_guard_may_write_many(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from lumiscope.world import dataset\n"
        "dataset.FEW = 0\n"
        f"dataset.write_dataset(Path('data'), {COUNT}, {SEED})\n"
    )
    subprocess.run([sys.executable, script], cwd=tmp_path, check=True, capture_output=True)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*.*"))
    for file in files:
        assert (folder / file).read_bytes() == (tmp_path / "data" / file).read_bytes(), file


def test_where_the_processes_break_this_one_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_then_broken(write_one: Callable[[int, str], written.Row], stems: Sequence[str]) -> Iterator[written.Row]:
        yield write_one(0, stems[0])
        raise BrokenProcessPool

    monkeypatch.setattr(written, "FEW", 0)
    monkeypatch.setattr(written, "_each_by_pool", one_then_broken)
    assert write_dataset(tmp_path, COUNT, SEED).read_bytes() == (folder / "labels.csv").read_bytes()


def test_what_a_killed_write_leaves_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / ".abc.part").write_bytes(b"half")
    assert len(rows(write_dataset(tmp_path, 1))) == 1
    (tmp_path / "mine.part").write_text("mine")
    with pytest.raises(UsageError, match=r"mine\.part"):
        write_dataset(tmp_path, 1)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_numbers_are_checked_before_folders_are_made(tmp_path: Path, seed: int) -> None:
    with pytest.raises(UsageError, match=f"seed to be from 0 to 4294967295; got {seed}"):
        write_dataset(tmp_path / "new", 1, seed)
    assert not (tmp_path / "new").exists()


def test_again_or_more_is_fine_but_nothing_else_is_overwritten(tmp_path: Path) -> None:
    write_dataset(tmp_path, 1)
    write_dataset(tmp_path, 2)
    assert len(rows(tmp_path / "labels.csv")) == 2
    with pytest.raises(UsageError, match=r"holds other things already, such as images/world-0-00000\.png"):
        write_dataset(tmp_path, 2, seed=1)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"mine\.txt"):
        write_dataset(tmp_path, 2)
    with pytest.raises(UsageError, match="is a file"):
        write_dataset(tmp_path / "mine.txt", 2)
    with pytest.raises(UsageError, match="at least 1"):
        write_dataset(tmp_path / "new", 0)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("kind", WORDS)
def test_every_word_has_a_colour_of_its_own(kind: str) -> None:
    entries = np.reshape(label_palette(kind), (256, 3))[: len(WORDS[kind]) + 1]
    assert entries[0].tolist() == [0, 0, 0]
    assert len(np.unique(entries, axis=0)) == len(entries)


def test_a_sheet_has_the_pictures_in_rows(tmp_path: Path) -> None:
    sheet = np.asarray(Image.open(write_sheet(tmp_path / "sheet.png", 5, 2)))
    step = 128 + GAP
    assert sheet.shape == (2 * step + GAP, 3 * step + GAP, 3)
    np.testing.assert_array_equal(sheet[step + GAP : 2 * step, GAP:step], render(3, 2).pixels)
    assert (sheet[step + GAP :, 2 * step + GAP :] == 255).all(), "no sixth picture"


@pytest.mark.parametrize(("name", "count"), [("a.jpg", 4), ("a.png", 0), ("a.png", 1025)])
def test_what_is_no_sheet(tmp_path: Path, name: str, count: int) -> None:
    with pytest.raises(UsageError):
        write_sheet(tmp_path / name, count)


def test_pairs_have_the_same_names_and_differ_where_the_thing_is(tmp_path: Path) -> None:
    write_dataset(tmp_path / "pairs", 12, 3, without="fish")
    write_dataset(tmp_path / "plain", 12, 3)
    for path in (path for path in (tmp_path / "plain").rglob("*") if path.is_file()):
        assert (tmp_path / "pairs" / path.relative_to(tmp_path / "plain")).read_bytes() == path.read_bytes()
    pairs = rows(tmp_path / "pairs" / "pairs.csv")
    assert len(pairs) == 12
    for index, row in enumerate(pairs):
        scene, left = render(index, 3), render(index, 3, without="fish")
        share = (scene.pixels != left.pixels).any(axis=2).mean()
        assert float(row["changed"]) == share
        assert np.array_equal(np.asarray(Image.open(tmp_path / "pairs" / row["without"])), left.pixels)
        assert (share > 0) == (scene.labels["object"] == OBJECTS.index("fish") + 1).any()
    write_dataset(tmp_path / "pairs", 12, 3, without="fish")  # its own files are no other content
    with pytest.raises(UnknownNameError):
        write_dataset(tmp_path / "none", 2, without="fsh")
    assert not (tmp_path / "none").exists()
