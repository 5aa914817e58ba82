"""Files that are no pictures, or broken ones: each is an ImageError with a reason, and a folder of them still opens."""

from __future__ import annotations

import contextlib
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope.errors import ImageError
from lumiscope.images import decode, decode_mask, open_images
from lumiscope.images._raster import upright_size
from picture_files import noise, png, saved


class TestBadFiles:
    @pytest.mark.parametrize("read", [decode, decode_mask])
    def test_empty(self, tmp_path, read):
        path = tmp_path / "a.jpg"
        path.touch()
        with pytest.raises(ImageError, match=r"^empty file \(0 bytes\)$"):
            read(path)

    def test_missing(self, tmp_path):
        with pytest.raises(ImageError, match=r"^file not found$"):
            decode(tmp_path / "a.jpg")

    def test_folder(self, tmp_path):
        with pytest.raises(ImageError, match=r"^a folder, not a file$"):
            decode(tmp_path)

    def test_text_named_as_an_image(self, tmp_path):
        path = tmp_path / "a.jpg"
        path.write_text("these are words")
        with pytest.raises(ImageError, match=r"^not an image"):
            decode(path)

    @pytest.mark.parametrize("ending", ["jpg", "png", "tif", "bmp", "gif", "ppm"])
    @pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
    def test_truncated(self, tmp_path, ending, share):
        path = saved(Image.fromarray(noise(64, 64)), tmp_path / f"a.{ending}")
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(ImageError, match=r"^truncated"):
            decode(path)

    @pytest.mark.slow
    def test_every_truncation_is_an_image_error_or_an_image(self, tmp_path, recwarn):
        for ending in ("jpg", "png", "tif", "webp", "gif"):
            path = saved(Image.fromarray(noise(8, 8)), tmp_path / f"a.{ending}")
            content = path.read_bytes()
            for length in range(1, len(content)):
                path.write_bytes(content[:length])
                self.read_or_refuse(path)
        assert not recwarn.list

    @pytest.mark.slow
    def test_every_damage_is_an_image_error_or_an_image(self, tmp_path, recwarn):
        random = np.random.default_rng(0)
        for ending in ("jpg", "png", "tif", "webp", "gif", "bmp", "ico"):
            path = saved(Image.fromarray(noise(16, 16)), tmp_path / f"a.{ending}")
            content = np.frombuffer(path.read_bytes(), np.uint8)
            for _ in range(60):
                damaged = content.copy()
                damaged[random.integers(0, min(len(content), 200), 4)] = random.integers(0, 256, 4)
                path.write_bytes(damaged.tobytes())
                self.read_or_refuse(path)
        assert not recwarn.list

    @pytest.mark.parametrize("side", [50_000, 10_000])
    def test_decompression_bomb(self, tmp_path, side):
        path = tmp_path / "a.png"
        path.write_bytes(png(side, side, 8, 2))
        limit = Image.MAX_IMAGE_PIXELS
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(
                ImageError, match=rf"^decompression bomb: .* pixels, more than .*\({limit}\)$"
            ) as caught:
                decode(path)
        assert re.search(f"{side}×{side}|{side * side}", str(caught.value))

    def test_pillow_limit_is_honoured(self, tmp_path, monkeypatch):
        path = saved(Image.new("L", (11, 10)), tmp_path / "a.png")
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 109)
        with pytest.raises(ImageError, match=r"decompression bomb: 11×10 pixels"):
            decode(path)
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 110)
        assert decode(path).shape == (10, 11, 3)

    def test_no_pixels(self, tmp_path):
        path = tmp_path / "a.png"
        path.write_bytes(png(0, 3, 8, 0))
        with pytest.raises(ImageError):
            decode(path)

    def test_threads_leave_the_warning_filters_as_they_were(self, tmp_path):
        path = saved(Image.fromarray(noise(64, 64)), tmp_path / "a.png")
        before = list(warnings.filters)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(decode, [path] * 100))
        assert list(warnings.filters) == before

    @staticmethod
    def read_or_refuse(path: Path) -> None:
        # Any other exception fails the test.
        for read in (decode, decode_mask):
            with contextlib.suppress(ImageError):
                assert read(path).size > 0


class TestFolderWithAnOversizedHeader:
    """Pillow raises for a header of 50,000×50,000 pixels, and only warns of one of 10,000×10,000."""

    @pytest.mark.parametrize("side", [50_000, 10_000])
    def test_it_is_skipped_and_named(self, tmp_path, side):
        saved(Image.fromarray(noise(4, 6)), tmp_path / "good.png")
        (tmp_path / "vast.png").write_bytes(png(side, side, 8, 2))
        images = open_images(tmp_path)
        assert [item.id for item in images] == ["good"]
        assert [skipped.name for skipped in images.skipped] == ["vast.png"]
        assert images.skipped[0].reason.startswith("decompression bomb: ")

    @pytest.mark.parametrize("side", [50_000, 10_000])
    def test_it_counts_as_a_picture_and_hides_no_folders_below(self, tmp_path, side):
        (tmp_path / "vast.png").write_bytes(png(side, side, 8, 2))
        (tmp_path / "below").mkdir()
        saved(Image.fromarray(noise(4, 6)), tmp_path / "below" / "good.png")
        images = open_images(tmp_path)
        assert [item.name for item in images] == ["below/good.png"]
        assert [skipped.reason.split(":")[0] for skipped in images.skipped] == ["decompression bomb"]
        (tmp_path / "huge.png").write_bytes(png(side, side, 8, 2))
        with pytest.raises(ImageError, match=r"^no image could be used: huge\.png: decompression bomb: "):
            open_images(tmp_path)

    def test_its_size_is_refused_with_the_same_reason(self, tmp_path):
        (tmp_path / "vast.png").write_bytes(png(50_000, 50_000, 8, 2))
        with pytest.raises(ImageError, match=r"^decompression bomb: 2500000000 pixels, more than"):
            upright_size(tmp_path / "vast.png")
