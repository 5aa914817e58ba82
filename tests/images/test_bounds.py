"""Decoding has bounds of time, of pixels and of bytes."""

from __future__ import annotations

import struct
import threading
import time

import numpy as np
import pytest
from PIL import Image

from lumiscope.errors import ImageError
from lumiscope.images import _in_time, bands, decode, decode_labels, decode_mask
from lumiscope.images._in_time import in_time
from lumiscope.images._raster import LARGEST_FILE, is_image, upright_size
from lumiscope.images.bands import holds_bands, read_bands_of, shape_of_bands
from picture_files import noise, saved

READERS = (decode, decode_mask, decode_labels, upright_size)


class TestTime:
    def test_what_is_quick_gives_its_result_or_its_error(self):
        assert in_time(lambda: 3, "") == 3
        with pytest.raises(KeyError, match="gone"):
            in_time(lambda: {}["gone"], "")

    def test_a_decoder_that_takes_too_long_is_left_and_ends(self, tmp_path, monkeypatch):
        """QOI is decoded in Python, pixel by pixel."""
        path = saved(Image.fromarray(np.tile(noise(64, 64), (8, 8, 1))), tmp_path / "a.qoi")
        monkeypatch.setattr(_in_time, "LONGEST", 0.05)
        start = time.monotonic()
        with pytest.raises(ImageError, match=r"^not decoded within 0\.05 seconds: convert it to PNG"):
            decode(path)
        assert time.monotonic() - start < 2
        for thread in threading.enumerate():
            if thread.name == "decoding":
                thread.join(10)
                assert not thread.is_alive()

    def test_scans_without_end(self, tmp_path, monkeypatch):
        """A progressive JPEG, whose last scan comes thousands of times: each takes as long as the picture is large."""
        path = saved(Image.fromarray(noise(1024, 1024)), tmp_path / "a.jpg", progressive=True, quality=1)
        content = path.read_bytes()
        last = content.rindex(b"\xff\xda")
        path.write_bytes(content[:-2] + content[last:-2] * 2000 + content[-2:])
        monkeypatch.setattr(_in_time, "LONGEST", 0.5)
        start = time.monotonic()
        with pytest.raises(ImageError, match="not decoded within"):
            decode(path)
        assert time.monotonic() - start < 5

    def test_frames_without_end(self, tmp_path, monkeypatch):
        """A TIFF of 20,000 frames in 2 MB: Pillow looks for each among all those before it."""
        path = tmp_path / "a.tif"
        path.write_bytes(frames(20_000))
        monkeypatch.setattr(_in_time, "LONGEST", 0.3)
        for read in (shape_of_bands, read_bands_of):
            start = time.monotonic()
            with pytest.raises(ImageError, match=r"^not decoded within 0\.3 seconds: save it as \.npy, \(bands"):
                read(path)
            assert time.monotonic() - start < 2
        start = time.monotonic()
        assert holds_bands(path)  # whatever the number of its frames
        assert time.monotonic() - start < 0.3

    def test_an_array_without_compression_is_slow_by_its_disk(self, tmp_path, monkeypatch):
        monkeypatch.setattr(_in_time, "LONGEST", 0.05)
        monkeypatch.setattr(bands, "_stored_bands", lambda path: time.sleep(0.3))
        with pytest.raises(ImageError, match=r"^not decoded within 0\.05 seconds: copy it to a faster disk, or"):
            read_bands_of(tmp_path / "a.npy")
        with pytest.raises(ImageError, match=r"^not decoded within 0\.05 seconds: save it as \.npy, \(bands, H, W\)"):
            read_bands_of(tmp_path / "a.npz")


def frames(count):
    """A TIFF of so many frames of 2×2 32-bit numbers."""
    fields = [(256, 2), (257, 2), (258, 32), (259, 1), (262, 1), (273, 0), (277, 1), (278, 2), (279, 16), (339, 2)]
    size = 2 + 12 * len(fields) + 4
    directory = struct.pack("<H", len(fields)) + b"".join(struct.pack("<HHII", tag, 4, 1, n) for tag, n in fields)
    following = [8 + size * number for number in range(1, count)] + [0]
    directories = (directory + struct.pack("<I", place) for place in following)
    return b"II*\0" + struct.pack("<I", 8) + b"".join(directories)


class TestSize:
    @pytest.mark.parametrize("read", READERS)
    def test_a_file_of_more_than_2_gib(self, tmp_path, read):
        path = saved(Image.fromarray(noise(4, 4)), tmp_path / "a.png")
        with path.open("ab") as file:
            file.truncate(LARGEST_FILE + 1)  # without content: it takes no room
        with pytest.raises(ImageError, match=r"^a file of 2\.0 GiB, of which at most 2 are read"):
            read(path)
        assert is_image(path)

    def test_an_array_that_promises_more_than_it_has(self, tmp_path):
        header = {"descr": "|u1", "fortran_order": False, "shape": (10_000, 10_000)}
        with (tmp_path / "a.npy").open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            file.write(b"few bytes")
        with pytest.raises(ImageError, match="damaged"):
            decode_labels(tmp_path / "a.npy")

    def test_an_array_of_more_pixels_than_the_limit(self, tmp_path, monkeypatch):
        np.save(tmp_path / "a.npy", np.zeros((20, 30), np.uint8))
        assert decode_labels(tmp_path / "a.npy").shape == (20, 30)
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 599)
        with pytest.raises(ImageError, match=r"^decompression bomb: 30×20 pixels"):
            decode_labels(tmp_path / "a.npy")
