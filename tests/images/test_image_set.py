"""Image sets: slices, digests, and files that change after they were opened."""

from __future__ import annotations

import hashlib
import os
import pickle

import pytest

from lumiscope.errors import ImageError
from lumiscope.images import ImageSet, Skipped, open_images
from picture_folders import ids, save


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
