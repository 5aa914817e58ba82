"""Image lists in CSV: what of a row is kept, and what is said of rows that cannot be used."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lumiscope.errors import ImageError, UsageError
from lumiscope.images import open_images
from picture_folders import csv, ids, reasons, save


class TestCsv:
    def test_rows_keep_their_order_and_columns(self, tmp_path):
        save(tmp_path / "pictures" / "b.png", shade=7)
        save(tmp_path / "a.png")
        mask = np.zeros((3, 4), bool)
        mask[1, 2] = True
        Image.fromarray(mask).save(tmp_path / "m.png")
        rows = (
            '\ufeffimage,class_index,wnid,class_name,mask\npictures/b.png, 12 ,n1,"tench, big",m.png\n\na.png,,n2,,\n'
        )
        images = open_images(csv(tmp_path, rows))
        assert (images.skipped, images.notes) == ((), ())
        assert [(item.id, item.name, item.label, item.class_name, item.columns) for item in images] == [
            ("b", "pictures/b.png", 12, "tench, big", {"wnid": "n1"}),
            ("a", "a.png", None, None, {"wnid": "n2"}),
        ]
        first, second = images
        assert first.has_mask
        np.testing.assert_array_equal(first.mask, mask)
        assert (second.has_mask, second.mask) == (False, None)

    def test_an_image_may_have_class_names_for_several_tasks(self, tmp_path):
        for name in "abcd":
            save(tmp_path / f"{name}.png")
        rows = 'image,class_name\na.png,fish| meadow\nb.png,"tench, big"\nc.png,\nd.png,|\n'
        images = open_images(csv(tmp_path, rows))
        assert [item.class_names for item in images] == [("fish", "meadow"), ("tench, big",), (), ()]
        assert [item.class_name for item in images] == ["fish", "tench, big", None, None]

    def test_absolute_paths(self, tmp_path):
        path = save(tmp_path / "far" / "a.png")
        assert ids(open_images(csv(tmp_path, f"image\n{path}\n"))) == ["a"]

    @pytest.mark.parametrize(
        ("value", "label"),
        [("3", 3), ("3.0", 3), ("3.", 3), ("+3", 3), ("003", 3), ("0.0", 0), ("123456789.0", 123456789)],
    )
    def test_class_index_as_pandas_writes_it(self, tmp_path, value, label):
        save(tmp_path / "a.png")
        images = open_images(csv(tmp_path, f"image,class_index\na.png,{value}\n"))
        assert [(item.id, item.label) for item in images] == [("a", label)]
        assert (images.skipped, images.notes) == ((), ())

    @pytest.mark.parametrize("value", ["", "nan", "NaN", "<NA>", "-1", "-1.0", "None", "null", "NA"])
    def test_no_class_index(self, tmp_path, value):
        save(tmp_path / "a.png")
        images = open_images(csv(tmp_path, f"image,class_index\na.png,{value}\n"))
        assert [(item.id, item.label) for item in images] == [("a", None)]
        assert (images.skipped, images.notes) == ((), ())

    @pytest.mark.parametrize("value", ["3.5", "cat", "1_0", "²", "3,0", "-2", "inf", "9" * 5000])
    def test_class_index_that_is_none_costs_the_label_alone(self, tmp_path, value):
        save(tmp_path / "a.png")
        save(tmp_path / "b.png", shade=1)
        images = open_images(csv(tmp_path, f'image,class_index\na.png,"{value}"\nb.png,0\n'))
        assert [(item.id, item.label) for item in images] == [("a", None), ("b", 0)]
        assert images.notes == ("no label, as class_index is no whole number of 0 or more: a.png",)

    @pytest.mark.parametrize("missing", ["nan", "NaN", "<NA>", ""])
    def test_no_class_name_and_no_mask(self, tmp_path, missing):
        save(tmp_path / "a.png")
        images = open_images(csv(tmp_path, f"image,class_name,mask\na.png,{missing},{missing}\n"))
        assert [(item.class_names, item.has_mask) for item in images] == [((), False)]
        assert (images.skipped, images.notes) == ((), ())

    def test_columns_of_one_name_and_of_none_are_all_kept(self, tmp_path):
        save(tmp_path / "a.png")
        images = open_images(csv(tmp_path, ",image,x,x,x 2,x\n0,a.png,1,2,3,4\n"))
        assert images[0].columns == {"column": "0", "x": "1", "x 3": "2", "x 2": "3", "x 4": "4"}

    def test_bad_rows_are_reported_in_their_order(self, tmp_path):
        save(tmp_path / "good.png")
        (tmp_path / "empty.png").touch()
        rows = "image,class_index\nempty.png,1\ngood.png,1\n,1\ngone.png,1\ngood.png,1,2\ngood.png\n"
        images = open_images(csv(tmp_path, rows))
        assert ids(images) == ["good"]
        assert list(reasons(images)) == ["empty.png", "line 4 of list.csv", "gone.png", "good.png"]
        assert "line 6 has 3 cells" in reasons(images)["good.png"]
        assert images.notes == ("listed more than once, the first entry is kept: good.png",)
        with pytest.raises(ImageError, match=r"empty\.png: empty file"):
            open_images(csv(tmp_path, rows), on_error="stop")

    @pytest.mark.parametrize(
        ("mask", "reason"),
        [
            ("gone.png", "file not found"),
            ("words.png", "not an image"),
            ("wide.png", "it has 5×3 pixels, the image has 4×3"),
            ("b\0.png", ""),
        ],
    )
    def test_bad_mask_costs_the_mask_only(self, tmp_path, mask, reason):
        save(tmp_path / "a.png")
        save(tmp_path / "wide.png", size=(5, 3))
        (tmp_path / "words.png").write_text("words")
        source = csv(tmp_path, f"image,mask,class_index\na.png,{mask},3\n")
        images = open_images(source)
        assert [(item.id, item.label, item.mask) for item in images] == [("a", 3, None)]
        assert [(skipped.kind, skipped.name) for skipped in images.skipped] == [("mask", "a.png")]
        assert reasons(images)["a.png"].startswith(reason)
        with pytest.raises(ImageError, match=f"^mask of a.png: {reason}"):
            open_images(source, on_error="stop")

    def test_mask_is_compared_with_the_upright_image(self, tmp_path):
        exif = Image.Exif()
        exif[274] = 6
        Image.new("RGB", (4, 3)).save(tmp_path / "a.jpg", exif=exif)
        save(tmp_path / "m.png", size=(3, 4))
        images = open_images(csv(tmp_path, "image,mask\na.jpg,m.png\n"))
        assert images.skipped == ()
        assert images[0].pixels.shape == (4, 3, 3)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("images,label\na.png,1\n", "did you mean images.*columns found: images, label"),
            ("image;label\na.png;1\n", "separated by commas; columns found: image;label"),
            ("", "columns found: none"),
            ("image,class_index\n", "has a header but no rows"),
            ("image,image\na.png,b.png\n", "more than one column image"),
            ('image\n"a.png\n', "is not a CSV file"),
        ],
    )
    def test_lists_that_cannot_be_read(self, tmp_path, text, message):
        with pytest.raises(UsageError, match=message):
            open_images(csv(tmp_path, text))

    def test_other_encodings_are_named(self, tmp_path):
        (tmp_path / "list.csv").write_bytes("image\nGemälde.png\n".encode("latin-1"))
        with pytest.raises(UsageError, match="is not UTF-8 text"):
            open_images(tmp_path / "list.csv")
