"""Every kind of file that Pillow reads, against pixel values that follow from what was written."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from lumiscope.errors import ImageError
from lumiscope.images import decode, decode_mask
from lumiscope.images.decode import read_picture
from picture_files import HIGH_BYTES, SIXTEEN_BITS, grey_values, noise, png, saved


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
        with pytest.raises(ImageError, match=r"32-bit .*numbers.*, of which no value is defined as white"):
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
        image = Image.fromarray(np.array([[[0, 255], [1, 0], [1, 255]]], np.uint8), "LA")
        assert decode_mask(saved(image, tmp_path / "a.png")).tolist() == [[False, True, True]]


class TestDarkPictures:
    """Pictures of 16 bits, of which a camera filled fewer."""

    @pytest.mark.parametrize(
        ("largest", "bits"),
        [(255, 8), (256, 10), (1023, 10), (4095, 12), (4096, 14), (16383, 14), (16384, 16), (65535, 16)],
    )
    @pytest.mark.parametrize("ending", ["png", "tif"])
    def test_grey(self, tmp_path, largest, bits, ending):
        picture = read_picture(saved(Image.fromarray(np.array([[0, largest]], np.uint16)), tmp_path / f"a.{ending}"))
        assert picture.pixels[0, :, 0].tolist() == [0, largest // 256]
        assert [note[: len("16-bit images that use 12")].split()[-1] for note in picture.notes] == (
            [] if bits == 16 else [str(bits)]
        )

    @pytest.mark.parametrize(("largest", "said"), [(0x0FFF, ["use 12 bits"]), (0x40FF, [])])
    def test_colour(self, tmp_path, largest, said):
        path = tmp_path / "a.png"
        path.write_bytes(png(1, 1, 16, 2, b"\0" + struct.pack(">3H", 0, largest, 5)))
        notes = read_picture(path).notes
        assert len(notes) == len(said)
        assert all(text in note for text, note in zip(said, notes, strict=True))
        if notes:
            assert notes[0].endswith("If it is to be 4095, multiply the values by 16 and save them again")

    def test_what_has_8_or_12_bits_by_itself_is_not_dark(self, tmp_path):
        assert read_picture(saved(Image.fromarray(np.array([[0, 9]], np.uint8)), tmp_path / "a.png")).notes == ()
        path = tmp_path / "a.tif"
        path.write_bytes(tiff_of_12_bits([0, 0x0F]))
        assert read_picture(path).notes == ()
