"""Boxes in the place of masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope.errors import ImageError
from lumiscope.images import open_images
from lumiscope.images.mask_file import MaskNote, read_mask_file
from picture_files import noise, saved


def voc(*boxes: tuple[str, float, float, float, float], width: object = 12, height: object = 8) -> str:
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax>"
        f"<ymax>{bottom}</ymax></bndbox></object>"
        for name, left, top, right, bottom in boxes
    )
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation><filename>a</filename>{size}{objects}</annotation>"


def written(folder: Path, text: str, name: str = "a.xml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_pixels_are_counted_from_1_and_the_last_one_is_inside(tmp_path: Path) -> None:
    """Columns 2 to 4 and rows 3 to 3 of 12 x 8, and a pixel in the corner: four pixels."""
    reading = read_mask_file(written(tmp_path, voc(("dog", 2, 3, 4, 3), ("dog", 12, 8, 12, 8))))
    expected = np.zeros((8, 12), bool)
    expected[2, 1:4] = expected[7, 11] = True
    np.testing.assert_array_equal(reading.object, expected)
    assert not reading.void.any()
    assert reading.notes == (MaskNote.BOXES,)


def test_decimals_are_rounded_and_what_lies_outside_is_cut(tmp_path: Path) -> None:
    reading = read_mask_file(written(tmp_path, voc(("dog", 0, -3, 2.6, 99))))
    assert reading.object.sum() == 3 * 8
    assert reading.object[:, :3].all()


def test_no_box_is_an_empty_mask_and_one_of_all_a_full_one(tmp_path: Path) -> None:
    assert MaskNote.EMPTY in read_mask_file(written(tmp_path, voc())).notes
    assert MaskNote.FULL in read_mask_file(written(tmp_path, voc(("dog", 1, 1, 12, 8)))).notes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (voc(("dog", 1, 1, 2, 2), ("cat", 3, 3, 4, 4)), "boxes of cat, dog. Keep those of the label"),
        (voc(("dog", 5, 1, 2, 2)), "ends at 2, 2 before it begins at 5, 1"),
        (voc(("dog", 1, 1, 2, 2), width=0, height=0), "says that the picture has 0 x 0 pixels"),
        (voc(("dog", 1, 1, 2, 2), width=9, height=0), "says that the picture has 9 x 0 pixels"),
        (voc(("dog", 1, 1, 2, 2), width=-1, height=9), "says that the picture has -1 x 9 pixels"),
        (voc(("dog", 1, 1, 2, 2), width=2**30, height=2**30), "decompression bomb: 1073741824×1073741824 pixels"),
        (voc(("dog", 1, 1, "wide", 2)), "<bndbox/xmax> is 'wide'"),
        ("<annotation/>", "<size/width> is ''"),
        ("not XML", "cannot be read as XML"),
        ('<!DOCTYPE a [<!ENTITY b "b">]><annotation>&b;</annotation>', "declares names of its own"),
    ],
)
def test_what_is_no_file_of_boxes_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ImageError) as caught:
        read_mask_file(written(tmp_path, text))
    assert words in str(caught.value)


def test_a_list_names_boxes_where_it_may_name_masks(tmp_path: Path) -> None:
    saved(Image.fromarray(noise(8, 12)), tmp_path / "a.png")
    saved(Image.fromarray(noise(8, 12)), tmp_path / "b.png")
    written(tmp_path, voc(("dog", 1, 1, 6, 8)))
    written(tmp_path, voc(("dog", 1, 1, 6, 8), width=13), "b.xml")
    (tmp_path / "list.csv").write_text("image,mask\na.png,a.xml\nb.png,b.xml\n")
    images = open_images(tmp_path / "list.csv")
    assert images[0].mask.mean() == 0.5
    assert not images[1].has_mask
    assert "it has 13×8 pixels, the image has 12×8" in images.skipped[0].reason
