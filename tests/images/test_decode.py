"""Every kind of file that Pillow reads, against pixel values that follow from what was written."""

from __future__ import annotations

import contextlib
import re
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope.errors import ImageError
from lumiscope.images import decode, decode_mask

SIXTEEN_BITS = np.array([[0, 255, 256, 0x1234, 65535]], np.uint16)
HIGH_BYTES = [0, 0, 1, 0x12, 255]


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def grey_values(path: Path) -> list[int]:
    pixels = decode(path)
    assert (pixels == pixels[..., :1]).all()
    return pixels[0, :, 0].tolist()


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def png(width: int, height: int, bit_depth: int, colour_type: int, data: bytes = b"") -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def tiff_of_12_bits(values: list[int]) -> bytes:
    data = int("".join(f"{value:012b}" for value in values), 2).to_bytes(len(values) * 12 // 8, "big")
    sizes = [
        (256, len(values)),
        (257, 1),
        (258, 12),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, 1),
        (279, len(data)),
    ]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sizes)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(sizes)) + entries + bytes(4)


class TestColours:
    def test_rgb_is_unchanged(self, tmp_path):
        pixels = noise(5, 7)
        decoded = decode(saved(Image.fromarray(pixels), tmp_path / "a.png"))
        assert decoded.dtype == np.uint8
        np.testing.assert_array_equal(decoded, pixels)

    def test_grey_is_repeated(self, tmp_path):
        assert grey_values(saved(Image.fromarray(np.array([[0, 7, 255]], np.uint8)), tmp_path / "a.png")) == [0, 7, 255]

    def test_one_bit_is_black_and_white(self, tmp_path):
        assert grey_values(saved(Image.fromarray(np.array([[True, False]])), tmp_path / "a.png")) == [255, 0]

    def test_palette(self, tmp_path):
        image = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("L")
        image = Image.frombytes("P", image.size, image.tobytes())
        image.putpalette([10, 20, 30, 200, 100, 50])
        assert decode(saved(image, tmp_path / "a.png")).tolist() == [[[10, 20, 30], [200, 100, 50]]]

    @pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
    def test_16_bit_grey_keeps_the_high_byte(self, tmp_path, ending):
        assert grey_values(saved(Image.fromarray(SIXTEEN_BITS), tmp_path / f"a.{ending}")) == HIGH_BYTES

    def test_big_endian_16_bit_tiff(self, tmp_path):
        image = Image.frombytes("I;16B", (5, 1), SIXTEEN_BITS.astype(">u2").tobytes())
        assert grey_values(saved(image, tmp_path / "a.tif")) == HIGH_BYTES

    def test_16_bit_rgb_keeps_the_high_byte(self, tmp_path):
        path = tmp_path / "a.png"
        path.write_bytes(png(1, 1, 16, 2, b"\0" + struct.pack(">3H", 0x1234, 0x80FF, 0xFFFF)))
        assert decode(path).tolist() == [[[0x12, 0x80, 0xFF]]]

    def test_12_bit_tiff_keeps_the_highest_8_bits(self, tmp_path):
        path = tmp_path / "a.tif"
        path.write_bytes(tiff_of_12_bits([0, 0xFFF, 0x800, 0x010]))
        assert grey_values(path) == [0, 255, 128, 1]

    @pytest.mark.parametrize("dtype", [np.int32, np.float32])
    def test_32_bit_pixels_are_refused(self, tmp_path, dtype):
        path = saved(Image.fromarray(np.ones((2, 2), dtype)), tmp_path / "a.tif")
        with pytest.raises(ImageError, match=r"32-bit pixels .* have no defined white"):
            decode(path)

    def test_cmyk_cyan(self, tmp_path):
        path = saved(Image.new("CMYK", (2, 1), (255, 0, 0, 0)), tmp_path / "a.tif")
        assert decode(path).tolist() == [[[0, 255, 255]] * 2]

    def test_cmyk_jpeg(self, tmp_path):
        # 8×8: one JPEG block of one colour, which the compression keeps but for rounding.
        path = saved(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), tmp_path / "a.jpg", quality=100)
        np.testing.assert_allclose(decode(path)[0, 0].astype(int), [0, 255, 255], atol=2)

    def test_first_frame_of_an_animation(self, tmp_path):
        frames = [Image.new("RGB", (3, 2), colour) for colour in ("red", "blue")]
        path = saved(frames[0], tmp_path / "a.gif", save_all=True, append_images=frames[1:])
        assert decode(path).tolist() == [[[255, 0, 0]] * 3] * 2


class TestTransparency:
    def test_rgba_is_composited_on_white(self, tmp_path):
        image = Image.new("RGBA", (3, 1))
        for column, alpha in enumerate((0, 51, 255)):
            image.putpixel((column, 0), (0, 100, 255, alpha))
        # 51/255 = 0.2: 0.8·255 = 204 of white, and 0.2 of the colour.
        assert decode(saved(image, tmp_path / "a.png")).tolist() == [[[255, 255, 255], [204, 224, 255], [0, 100, 255]]]

    def test_grey_with_alpha(self, tmp_path):
        image = Image.fromarray(np.array([[[0, 0], [0, 51], [0, 255]]], np.uint8), "LA")
        assert grey_values(saved(image, tmp_path / "a.png")) == [255, 204, 0]

    def test_transparent_palette_entry(self, tmp_path):
        image = Image.frombytes("P", (2, 1), bytes([0, 1]))
        image.putpalette([10, 20, 30, 200, 100, 50])
        path = saved(image, tmp_path / "a.png", transparency=0)
        assert decode(path).tolist() == [[[255, 255, 255], [200, 100, 50]]]

    def test_transparent_colour_key(self, tmp_path):
        path = saved(Image.fromarray(np.array([[0, 9]], np.uint8)), tmp_path / "a.png", transparency=9)
        assert grey_values(path) == [0, 255]

    def test_transparent_16_bit_grey_key(self, tmp_path):
        path = saved(Image.fromarray(SIXTEEN_BITS), tmp_path / "a.png", transparency=256)
        assert grey_values(path) == [0, 0, 255, 0x12, 255]


# Where row 0 and column 0 of the stored pixels lie in the upright image (EXIF 2.32, tag 274), undone with numpy.
STORED_FROM_UPRIGHT = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright.swapaxes(0, 1)[::-1, ::-1],
    8: lambda upright: np.rot90(upright, -1),
}


class TestOrientation:
    @pytest.mark.parametrize("ending", ["png", "tif", "webp"])
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_image_is_turned_upright(self, tmp_path, orientation, ending):
        upright = noise(4, 6)
        path = self.stored(upright, orientation, tmp_path / f"a.{ending}")
        np.testing.assert_array_equal(decode(path), upright)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_mask_is_turned_upright(self, tmp_path, orientation):
        upright = noise(4, 6)[..., 0] > 127
        path = self.stored(upright, orientation, tmp_path / "a.png")
        np.testing.assert_array_equal(decode_mask(path), upright)

    def test_16_bit_image_is_turned_upright(self, tmp_path):
        path = self.stored(SIXTEEN_BITS, 6, tmp_path / "a.png")
        assert grey_values(path) == HIGH_BYTES

    def test_jpeg(self, tmp_path):
        upright = np.zeros((16, 32, 3), np.uint8)
        upright[:, 16:] = 255
        path = self.stored(upright, 6, tmp_path / "a.jpg")
        np.testing.assert_allclose(decode(path).astype(int), upright, atol=3)

    @pytest.mark.parametrize("orientation", [0, 9, 65535])
    def test_unknown_orientation_is_taken_as_upright(self, tmp_path, orientation):
        upright = noise(4, 6)
        exif = Image.Exif()
        exif[274] = orientation
        path = saved(Image.fromarray(upright), tmp_path / "a.png", exif=exif)
        np.testing.assert_array_equal(decode(path), upright)

    def test_broken_exif_does_not_cost_the_image(self, tmp_path, recwarn):
        path = saved(Image.new("RGB", (8, 8), "white"), tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff\1")
        assert (decode(path) == 255).all()
        assert not recwarn.list

    @staticmethod
    def stored(upright: np.ndarray, orientation: int, path: Path) -> Path:
        exif = Image.Exif()
        exif[274] = orientation
        stored = np.ascontiguousarray(STORED_FROM_UPRIGHT[orientation](upright))
        return saved(Image.fromarray(stored), path, exif=exif, lossless=True)


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


class TestMask:
    @pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16])
    def test_grey_above_0(self, tmp_path, dtype):
        path = saved(Image.fromarray(np.array([[0, 1, 0, 1]], dtype)), tmp_path / "a.png")
        assert decode_mask(path).tolist() == [[False, True, False, True]]

    def test_palette_index_counts_and_not_its_colour(self, tmp_path):
        image = Image.frombytes("P", (3, 1), bytes([0, 1, 2]))
        image.putpalette([255, 255, 255, 0, 0, 0, 9, 9, 9])
        assert decode_mask(saved(image, tmp_path / "a.png")).tolist() == [[False, True, True]]

    def test_any_colour_counts_and_alpha_does_not(self, tmp_path):
        image = Image.fromarray(np.array([[[0, 0, 0, 255], [0, 0, 1, 0], [1, 0, 0, 255]]], np.uint8))
        assert decode_mask(saved(image, tmp_path / "a.png")).tolist() == [[False, True, True]]

    def test_grey_with_alpha(self, tmp_path):
        image = Image.fromarray(np.array([[[0, 255], [1, 0]]], np.uint8), "LA")
        assert decode_mask(saved(image, tmp_path / "a.png")).tolist() == [[False, True]]
