"""Sources of images: folders, globs, CSVs; what is skipped, and in which order the rest comes."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope.errors import ImageError, UnknownNameError, UsageError
from lumiscope.images import ImageSet, Skipped, open_images

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not on this machine")


def save(path: Path, shade: int = 0, size: tuple[int, int] = (4, 3)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade,) * 3).save(path)
    return path


def ids(images: ImageSet) -> list[str]:
    return [item.id for item in images]


def names(images: ImageSet) -> list[str]:
    return [item.name for item in images]


def reasons(images: ImageSet) -> dict[str, str]:
    return {skipped.name: skipped.reason for skipped in images.skipped}


def csv(folder: Path, text: str) -> Path:
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


class TestFolder:
    def test_files_are_sorted_and_clutter_is_ignored(self, tmp_path):
        for name in ("b.png", "B.png", "a10.png", "a9.jpg", ".hidden.png"):
            save(tmp_path / name)
        (tmp_path / "Thumbs.db").write_bytes(b"x")
        (tmp_path / "desktop.ini").write_bytes(b"x")
        images = open_images(tmp_path)
        assert names(images) == ["B.png", "a10.png", "a9.jpg", "b.png"]
        assert images.skipped == ()
        assert images.source == str(tmp_path)

    def test_sub_folders_are_left_alone_beside_images(self, tmp_path):
        save(tmp_path / "a.png")
        save(tmp_path / "below" / "b.png")
        assert names(open_images(str(tmp_path))) == ["a.png"]

    def test_image_folder_layout(self, tmp_path):
        for name in ("dog/2.png", "cat/1.png", "cat/old/0.png", ".cache/3.png", "__MACOSX/._1.png"):
            save(tmp_path / name)
        (tmp_path / "README.txt").write_text("words")
        images = open_images(tmp_path)
        assert names(images) == ["cat/1.png", "cat/old/0.png", "dog/2.png"]
        assert list(reasons(images)) == ["README.txt"]

    def test_bad_files_are_reported_by_name_and_reason(self, tmp_path):
        good = save(tmp_path / "good.png", size=(64, 64))
        (tmp_path / "empty.jpg").touch()
        (tmp_path / "cut.png").write_bytes(good.read_bytes()[:-30])
        (tmp_path / "words.jpg").write_text("words")
        (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
        (tmp_path / "labels.csv").write_text("image\ngood.png\n")
        (tmp_path / "other.csv").write_text("x,y\n1,2\n")
        images = open_images(tmp_path)
        assert ids(images) == ["good"]
        assert list(reasons(images)) == ["cut.png", "empty.jpg", "gone.png", "labels.csv", "other.csv", "words.jpg"]
        assert reasons(images)["empty.jpg"] == "empty file (0 bytes)"
        assert reasons(images)["gone.png"] == "file not found"
        assert reasons(images)["cut.png"].startswith("truncated")
        assert reasons(images)["words.jpg"].startswith("not an image")
        assert "give it as the source to use its labels" in reasons(images)["labels.csv"]
        assert "labels" not in reasons(images)["other.csv"]

    def test_stop_at_the_first(self, tmp_path):
        save(tmp_path / "a.png")
        (tmp_path / "b.png").touch()
        (tmp_path / "c.png").write_text("words")
        with pytest.raises(ImageError, match=r"^b\.png: empty file \(0 bytes\)$"):
            open_images(tmp_path, on_error="stop")

    def test_nothing_usable(self, tmp_path):
        for number in range(8):
            (tmp_path / f"{number}.png").touch()
        with pytest.raises(ImageError, match=r"no image could be used: 0\.png: empty file \(0 bytes\); .*and 3 more"):
            open_images(tmp_path)

    def test_empty_folder(self, tmp_path):
        with pytest.raises(UsageError, match="holds no files"):
            open_images(tmp_path)

    def test_linked_file_is_kept_once(self, tmp_path):
        save(tmp_path / "a.png")
        (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
        images = open_images(tmp_path)
        assert ids(images) == ["a"]
        assert images.notes == ("listed more than once, the first entry is kept: b.png",)


class TestIds:
    def test_same_stem_gets_a_number_that_is_free(self, tmp_path):
        for name in ("1/x.png", "2/x.png", "3/x.png", "4/x-2.png"):
            save(tmp_path / name)
        images = open_images(tmp_path)
        assert ids(images) == ["x", "x-3", "x-4", "x-2"]
        assert images.notes == ("files of the same name, told apart by a number: 2/x.png is x-3, 3/x.png is x-4",)

    def test_other_ending_counts_as_the_same_stem(self, tmp_path):
        save(tmp_path / "x.jpg")
        save(tmp_path / "x.png")
        assert ids(open_images(tmp_path)) == ["x", "x-2"]

    def test_skipped_files_take_no_id(self, tmp_path):
        (tmp_path / "x.jpg").touch()
        save(tmp_path / "x.png")
        assert ids(open_images(tmp_path)) == ["x"]


class TestGlobAndFiles:
    def test_glob_is_sorted(self, tmp_path):
        for name in ("b.png", "a.png", "c.jpg", "below/d.png"):
            save(tmp_path / name)
        assert names(open_images(f"{tmp_path}/*.png")) == ["a.png", "b.png"]
        assert names(open_images(f"{tmp_path}/**/*.png")) == ["a.png", "b.png", "below/d.png"]
        assert names(open_images(tmp_path / "[bc].*")) == ["b.png", "c.jpg"]

    def test_relative_glob(self, tmp_path, monkeypatch):
        save(tmp_path / "below" / "a.png")
        monkeypatch.chdir(tmp_path)
        assert names(open_images("*/?.png")) == ["below/a.png"]

    def test_file_with_brackets_in_its_name(self, tmp_path):
        assert names(open_images(save(tmp_path / "a[1].png"))) == ["a[1].png"]

    def test_no_match(self, tmp_path):
        with pytest.raises(UsageError, match=r"no file matches .*\*\.png"):
            open_images(f"{tmp_path}/*.png")

    def test_one_file(self, tmp_path):
        images = open_images(save(tmp_path / "a.png", shade=9))
        assert (ids(images), images[0].pixels.tolist()) == (["a"], [[[9, 9, 9]] * 4] * 3)

    def test_several_files_keep_their_order(self, tmp_path):
        paths = [save(tmp_path / name) for name in ("b.png", "a.png")]
        images = open_images([*paths, str(tmp_path / "c.png"), tmp_path, paths[0]])
        assert ids(images) == ["b", "a"]
        assert reasons(images) == {str(tmp_path / "c.png"): "file not found", str(tmp_path): "a folder, not a file"}
        assert images.notes == (f"listed more than once, the first entry is kept: {paths[0]}",)

    def test_missing_source_names_the_nearest(self, tmp_path):
        (tmp_path / "pictures").mkdir()
        with pytest.raises(UsageError, match="did you mean pictures"):
            open_images(tmp_path / "picturse")
        with pytest.raises(UsageError, match="does not exist either"):
            open_images(tmp_path / "nowhere" / "pictures")

    @pytest.mark.parametrize("source", ["", " ", [], "a\0b", "x" * 5000, "~nobody/at/all"])
    def test_source_that_is_none(self, source):
        with pytest.raises(UsageError):
            open_images(source)

    def test_unknown_on_error(self, tmp_path):
        with pytest.raises(UnknownNameError, match="did you mean stop"):
            open_images(tmp_path, on_error="sotp")


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

    @pytest.mark.parametrize("value", ["-1", "3.0", "cat", "1_0", "²", "9" * 5000])
    def test_class_index_that_is_none(self, tmp_path, value):
        save(tmp_path / "a.png")
        save(tmp_path / "b.png")
        images = open_images(csv(tmp_path, f"image,class_index\na.png,{value}\nb.png,0\n"))
        assert [(item.id, item.label) for item in images] == [("b", 0)]
        assert "in line 2 is not a whole number of 0 or more" in reasons(images)["a.png"]

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
        assert reasons(images)["mask of a.png"].startswith(reason)
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


class TestImageSet:
    def test_slices_are_image_sets(self, tmp_path):
        for name in "abcd":
            save(tmp_path / f"{name}.png")
        (tmp_path / "e.png").touch()
        images = open_images(tmp_path)
        part = images[1:3]
        assert isinstance(part, ImageSet)
        assert (len(images), ids(part), images[-1].id) == (4, ["b", "c"], "d")
        assert part.skipped == images.skipped == (Skipped("e.png", "empty file (0 bytes)"),)
        with pytest.raises(IndexError):
            images[4]

    def test_fingerprint_depends_on_everything_that_matters(self, tmp_path):
        save(tmp_path / "a.png", shade=1)
        save(tmp_path / "b.png", shade=2)
        save(tmp_path / "m.png")
        plain = "image,class_index,mask\na.png,1,\nb.png,2,\n"
        variants = [
            plain,
            plain.replace("b.png,2", "b.png,3"),
            plain.replace("a.png,1,", "a.png,1,m.png"),
            "image,class_index,mask\nb.png,2,\na.png,1,\n",
            "image,class_index,mask\na.png,1,\n",
        ]
        fingerprints = [open_images(csv(tmp_path, text)).fingerprint for text in variants]
        assert len(set(fingerprints)) == len(variants)
        assert open_images(csv(tmp_path, plain)).fingerprint == fingerprints[0]
        save(tmp_path / "b.png", shade=3)
        assert open_images(csv(tmp_path, plain)).fingerprint not in fingerprints

    def test_file_digest(self, tmp_path):
        path = save(tmp_path / "a.png")
        assert open_images(path)[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_items_can_be_sent_to_other_processes(self, tmp_path):
        images = open_images(save(tmp_path / "a.png", shade=5))
        copy = pickle.loads(pickle.dumps(images))
        assert (copy[0].id, copy[0].pixels[0, 0, 0]) == ("a", 5)

    def test_file_that_goes_bad_after_opening_is_named(self, tmp_path):
        path = save(tmp_path / "a.png")
        images = open_images(path)
        os.truncate(path, 0)
        with pytest.raises(ImageError, match=r"^a\.png: empty file"):
            _ = images[0].pixels

    def test_progress_counts_every_file(self, tmp_path):
        save(tmp_path / "a.png")
        (tmp_path / "b.png").touch()
        seen = []

        def track(items, description, total):
            for item in items:
                seen.append((description, total))
                yield item

        open_images(tmp_path, track=track)
        assert seen == [("opening images", 2)] * 2


@needs_shared
class TestSharedPictures:
    def test_ten_labelled_pictures(self):
        images = open_images(SHARED / "imagenet10" / "labels.csv")
        assert [item.label for item in images] == [1, 3, 21, 23, 39, 130, 137, 203, 751, 950]
        assert images.skipped == ()
        assert [item.class_name for item in images if not item.has_mask] == ["kite"]
        for item in images:
            if item.mask is not None:
                assert item.mask.shape == item.pixels.shape[:2]
                assert 0 < item.mask.mean() < 1

    @pytest.mark.slow
    def test_thousand_pictures_in_the_order_of_their_names(self):
        images = open_images(SHARED / "imagenet1k_sample")
        assert names(images) == sorted(path.name for path in (SHARED / "imagenet1k_sample").iterdir())
        assert len(images) == 1000
