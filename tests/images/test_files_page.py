"""docs/files.md is true: an example of every row of its tables does what the row says."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from lumiscope.errors import ImageError
from lumiscope.images import ImageSet, _in_time, open_images
from lumiscope.images._formats import FORMATS
from lumiscope.images._raster import LARGEST_FILE
from lumiscope.images.mask_file import MaskNote
from picture_files import noise, saved

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text()


def table(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line.replace("\\|", "¦") for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip().replace("¦", "|") for cell in line.strip("|").split("|")] for line in lines[1:]]


def picture(path: Path, shape: tuple[int, int] = (3, 4)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return saved(Image.fromarray(noise(*shape)), path)


def with_mask(folder: Path, mask: np.ndarray) -> Path:
    picture(folder / "a.png", mask.shape[:2])
    saved(Image.fromarray(mask), folder / "m.png")
    (folder / "list.csv").write_text("image,mask\na.png,m.png\n")
    return folder / "list.csv"


def test_formats() -> None:
    assert sorted(name for row in table("Formats") for name in row[0].split(", ")) == sorted(FORMATS)
    Image.init()
    for names, endings, _ in table("Formats"):
        for ending in endings.replace("`", "").split():
            assert Image.registered_extensions()[ending] in names.split(", ")


def many_pixels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert Image.MAX_IMAGE_PIXELS == 89_478_485
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 11)
    return picture(folder / "a.png")


def large(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    os.truncate(picture(folder / "a.png"), LARGEST_FILE + 1)
    return folder / "a.png"


def slow(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert _in_time.LONGEST == 60
    path = picture(folder / "a.qoi", (512, 512))
    monkeypatch.setattr(_in_time, "LONGEST", 0.02)
    return path


def empty(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (folder / "a.png").touch()
    return folder / "a.png"


def pipe(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    os.mkfifo(folder / "a.png")
    return folder / "a.png"


def cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = picture(folder / "a.png", (64, 64))
    path.write_bytes(path.read_bytes()[:-30])
    return path


def other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    Image.fromarray(noise(4, 4)).save(folder / "a.png", "EPS")
    return folder / "a.png"


def bands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = saved(Image.fromarray(noise(4, 4)).convert("CMYK"), folder / "a.tif")
    # Tag 262, how the bands are to be shown: by number 10, which nothing has.
    tag = b"\x06\x01\x03\x00\x01\x00\x00\x00"
    path.write_bytes(path.read_bytes().replace(tag + b"\x05", tag + b"\x0a"))
    return path


def lzw(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = folder / "a.tif"
    tifffile.imwrite(path, np.zeros((3, 4, 7), np.uint16), photometric="minisblack", planarconfig="contig")
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags["Compression"].overwrite(5)
    return path


def floats(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return saved(Image.fromarray(np.ones((3, 4), np.float32)), folder / "a.tif")


def no_text(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return picture(folder / os.fsdecode(b"a\xff.png"))


def boxes_of(folder: Path, *names: str) -> Path:
    """A picture of 4 x 3 pixels whose mask has a box of 2 x 2 of each name."""
    path = with_mask(folder, np.zeros((3, 4), np.uint8))
    corners = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox>"
    objects = "".join(f"<object><name>{name}</name>{corners}</object>" for name in names)
    size = "<size><width>4</width><height>3</height></size>"
    (folder / "m.xml").write_text(f"<annotation>{size}{objects}</annotation>")
    path.write_text("image,mask\na.png,m.xml\n")
    return path


def several_classes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return boxes_of(folder, "cat", "dog")


def other_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = with_mask(folder, np.zeros((3, 4), np.uint8))
    saved(Image.fromarray(np.zeros((3, 5), np.uint8)), folder / "m.png")
    return path


REFUSED: dict[str, Callable[[Path, pytest.MonkeyPatch], Path]] = {
    "more pixels than": many_pixels,
    "more than 2 GiB": large,
    "more than 60 seconds": slow,
    "an empty file": empty,
    "a folder, pipe or device": pipe,
    "a cut or damaged file": cut,
    "another format": other,
    "a TIFF of other bands or numbers": bands,
    "a TIFF of bands with LZW": lzw,
    "32 bits or float": floats,
    "a name or folder that is not UTF-8": no_text,
    "a mask of another size": other_size,
    "a mask with boxes of several classes": several_classes,
}


def example(examples: dict[str, Callable[..., Path]], row: str) -> Callable[..., Path]:
    (name,) = (name for name in examples if row.startswith(name))
    return examples[name]


@pytest.mark.parametrize(("row", "words"), table("What is refused"))
def test_what_is_refused(tmp_path, monkeypatch, row, words):
    path = example(REFUSED, row)(tmp_path, monkeypatch)
    with pytest.raises(ImageError, match=re.escape(words)):
        open_images([path] if path.suffix != ".csv" else path, on_error="stop")


def dark(folder: Path) -> Path:
    return saved(Image.fromarray(np.array([[0, 4095]], np.uint16)), folder / "a.png")


def shades(folder: Path) -> Path:
    mask = np.zeros((9, 9), np.uint8)
    mask[2:7, 2:7], mask[2, 2:7] = 255, 100
    return with_mask(folder, mask)


def void(folder: Path) -> Path:
    mask = np.zeros((9, 9), np.uint8)
    mask[2:7, 2:7], mask[:2] = 3, 255
    return with_mask(folder, mask)


def alpha(folder: Path) -> Path:
    mask = np.zeros((9, 9, 4), np.uint8)
    mask[2:7, 2:7, 3] = 255
    return with_mask(folder, mask)


def stray(folder: Path) -> Path:
    return picture(picture(folder / "p/a.png").parent / "below/b.png").parents[1]


def few_below(folder: Path) -> Path:
    picture(folder / "p/c.png")
    return stray(folder)


def no_index(folder: Path) -> Path:
    picture(folder / "a.png")
    (folder / "list.csv").write_text("image,class_index\na.png,cat\n")
    return folder / "list.csv"


# What is opened, what its note says, and the number of object pixels or of images.
NOTED: dict[str, tuple[Callable[[Path], Path], str, int]] = {
    "a 16-bit picture that uses": (dark, "16-bit images that use 12 bits", 1),
    "a mask with shades": (shades, MaskNote.SHADED, 20),
    "a mask with 255 (65535) beside": (void, MaskNote.VOID, 25),
    "a mask whose object is in alpha": (alpha, MaskNote.ALPHA, 25),
    "a mask `a.xml` with boxes": (lambda folder: boxes_of(folder, "cat"), MaskNote.BOXES, 4),
    "an empty mask": (lambda folder: with_mask(folder, np.zeros((3, 4), np.uint8)), MaskNote.EMPTY, 0),
    "a mask that covers": (lambda folder: with_mask(folder, np.ones((3, 4), np.uint8)), MaskNote.FULL, 12),
    "a picture beside folders": (stray, "1 picture in", 2),
    "more pictures than lie": (few_below, "1 picture in folders below", 2),
    "a `class_index` that is no": (no_index, "no label, as class_index", 1),
}


def count(images: ImageSet) -> int:
    return int(images[0].mask.sum()) if images[0].mask is not None else len(images)


@pytest.mark.parametrize("row", [cells[0] for cells in table("What is assumed, and said")])
def test_what_is_noted(tmp_path, row):
    (name,) = (name for name in NOTED if row.startswith(name))
    make, note, number = NOTED[name]
    images = open_images(make(tmp_path))
    assert [text.startswith(note) for text in images.notes] == [True]
    assert (count(images), images.skipped) == (number, ())


@pytest.mark.parametrize(("cells", "meaning"), table("Lists"))
def test_cells_of_lists(tmp_path, cells, meaning):
    picture(tmp_path / "a.png")
    values, columns = cells.split(" in ")
    for value in ["" if text == "empty" else text.strip("`") for text in values.split(", ")]:
        for column in columns.replace(" or ", ", ").split(", "):
            (tmp_path / "list.csv").write_text(f"image,{column.strip('`')}\na.png,{value}\n")
            images = open_images(tmp_path / "list.csv")
            facts = (images[0].label, images[0].class_names, images[0].has_mask)
            expected = {"class 3": (3, (), False), "missing": (None, (), False)}
            assert facts == expected.get(meaning, (None, ("fish", "meadow"), False))
            assert (images.skipped, images.notes) == ((), ())
