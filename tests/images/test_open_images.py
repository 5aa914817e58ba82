"""Sources of images: folders, globs, CSVs; what is skipped, and in which order the rest comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lumiscope.errors import ImageError, UnknownNameError, UsageError
from lumiscope.images import open_images
from picture_folders import ids, names, reasons, save

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not on this machine")


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

    def test_sub_folders_are_left_alone_beside_more_images_and_that_is_said(self, tmp_path):
        for name in ("a.png", "b.png", "below/c.png", "below/words.txt"):
            save(tmp_path / name) if name.endswith(".png") else (tmp_path / name).write_text("words")
        images = open_images(str(tmp_path))
        assert names(images) == ["a.png", "b.png"]
        assert images.notes == (f"1 picture in folders below {tmp_path} left out: to take all, name {tmp_path}/**/*.*",)
        assert names(open_images(f"{tmp_path}/**/*.*")) == ["a.png", "b.png", "below/c.png"]

    @pytest.mark.parametrize("below", [("cat/1.png",), ("cat/1.png", "dog/old/2.png", "dog/3.png")])
    def test_a_stray_picture_hides_no_sub_folders(self, tmp_path, below):
        for name in ("overview.png", *below):
            save(tmp_path / name)
        images = open_images(tmp_path)
        assert names(images) == sorted(["overview.png", *below])
        assert images.notes == (f"1 picture in {tmp_path} itself, beside {len(below)} in its folders: all were taken",)

    @pytest.mark.parametrize("made", ["masks/a.png", "out/a.lime.png", "thumbnails/a_small.jpg"])
    def test_what_was_made_of_a_picture_is_not_taken_for_one(self, tmp_path, made):
        for name in ("a.png", made):
            save(tmp_path / name)
        images = open_images(tmp_path)
        assert names(images) == ["a.png"]
        assert images.notes == (f"1 picture in folders below {tmp_path} left out: to take all, name {tmp_path}/**/*.*",)

    def test_image_folder_layout(self, tmp_path):
        for name in ("dog/2.png", "cat/1.png", "cat/old/0.png", ".cache/3.png", "__MACOSX/._1.png"):
            save(tmp_path / name)
        (tmp_path / "README.txt").write_text("words")
        images = open_images(tmp_path)
        assert names(images) == ["cat/1.png", "cat/old/0.png", "dog/2.png"]
        assert reasons(images) == {}
        assert images.notes == ("no pictures, so passed over: README.txt",)

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
        assert list(reasons(images)) == ["cut.png", "empty.jpg", "gone.png", "words.jpg"]
        assert reasons(images)["empty.jpg"] == "empty file (0 bytes)"
        assert reasons(images)["gone.png"] == "file not found"
        assert reasons(images)["cut.png"].startswith("truncated")
        assert reasons(images)["words.jpg"].startswith("not an image")

    def test_texts_and_tables_beside_pictures_are_passed_over_not_skipped(self, tmp_path):
        save(tmp_path / "good.png")
        save(tmp_path / "really.png").rename(tmp_path / "really.txt")
        (tmp_path / "labels.csv").write_text("image\ngood.png\n")
        for name in ("other.csv", "notes.txt", "README", "classes.json"):
            (tmp_path / name).write_text("x,y\n1,2\n")
        for source in (tmp_path, f"{tmp_path}/*"):
            images = open_images(source)
            assert (ids(images), images.skipped) == (["good", "really"], ())
            assert images.notes == (
                "no pictures, so passed over: README, classes.json, labels.csv, notes.txt, other.csv",
                "labels.csv lists images: give it as the source to use its labels",
            )

    def test_a_text_that_is_named_is_skipped_with_its_reason(self, tmp_path):
        good = save(tmp_path / "good.png")
        (tmp_path / "only").mkdir()
        (tmp_path / "only" / "labels.csv").write_text("image\ngood.png\n")
        images = open_images([good, tmp_path / "only" / "labels.csv"])
        assert ids(images) == ["good"]
        assert "give it as the source to use its labels" in next(iter(reasons(images).values()))
        with pytest.raises(ImageError, match=r"labels\.csv: not an image"):
            open_images(tmp_path / "only")

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

    def test_a_long_name_is_cut_in_a_note_and_its_folder_is_not(self, tmp_path):
        path = save(tmp_path / f"{'a' * 100}.png")
        images = open_images([path, path])
        folder = "/".join(part if len(part) <= 60 else f"{part[:30]}…{part[-24:]}" for part in str(tmp_path).split("/"))
        expected = f"listed more than once, the first entry is kept: {folder}/{'a' * 30}…{'a' * 20}.png"
        assert images.notes == (expected,)
        assert ids(images) == ["a" * 100]

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
