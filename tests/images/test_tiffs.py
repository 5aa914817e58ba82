"""TIFFs that are not read are named as what they are; damaged ones as damaged."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from lumiscope.errors import ImageError
from lumiscope.images import decode, decode_mask, shown_triple
from lumiscope.images._raster import upright_size
from lumiscope.images.bands import read_bands_of, shape_of_bands

GREY, RGB, RAW_OF_A_CAMERA = 1, 2, 32803
UNSIGNED, SIGNED, FLOAT = 1, 2, 3


def tiff(
    path: Path, pixels: np.ndarray, kind: int, photometric: int, *, compression: int = 1, order: str = "<"
) -> Path:
    """`pixels`: (H, W, bands), written plainly, without saying what further bands mean."""
    height, width, bands = pixels.shape
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    bits = struct.pack(f"{order}{bands}H", *[8 * pixels.itemsize] * bands)
    kinds = struct.pack(f"{order}{bands}H", *[kind] * bands)

    def short(tag: int, value: int) -> bytes:
        return struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)

    def shorts(tag: int, values: bytes, place: int) -> bytes:
        start = struct.pack(f"{order}HHI", tag, 3, bands)
        return start + (values.ljust(4, b"\0") if len(values) <= 4 else struct.pack(f"{order}I", place))

    place = 8 + len(data)
    tags = [
        short(256, width), short(257, height), shorts(258, bits, place), short(259, compression),
        short(262, photometric), short(273, 8), short(277, bands), short(278, height),
        struct.pack(f"{order}HHII", 279, 4, 1, len(data)), shorts(339, kinds, place + len(bits)),
    ]  # fmt: skip
    first = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, place + len(bits) + len(kinds))
    path.write_bytes(first + data + bits + kinds + struct.pack(f"{order}H", len(tags)) + b"".join(tags) + bytes(4))
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("bands", "dtype", "kind", "photometric", "content"),
    [
        (4, np.uint16, UNSIGNED, GREY, "4 bands of 16-bit numbers"),
        (2, np.uint8, UNSIGNED, GREY, "2 bands of 8-bit numbers"),
        (3, np.uint32, UNSIGNED, RGB, "3 bands of 32-bit numbers"),
        (3, np.float32, FLOAT, RGB, "3 bands of 32-bit float numbers"),
        (1, np.float64, FLOAT, GREY, "1 band of 64-bit float numbers"),
        (1, np.float16, FLOAT, GREY, "1 band of 16-bit float numbers"),
        (1, np.uint64, UNSIGNED, GREY, "1 band of 64-bit numbers"),
        (1, np.uint16, UNSIGNED, RAW_OF_A_CAMERA, "1 band of 16-bit numbers (photometric interpretation 32803)"),
    ],
)
@pytest.mark.parametrize("read", [decode, decode_mask, upright_size])
def test_what_is_not_read_is_named(tmp_path, read, bands, dtype, kind, photometric, content, order):
    path = tiff(tmp_path / "a.tif", np.ones((3, 5, bands), dtype), kind, photometric, order=order)
    with pytest.raises(ImageError) as caught:
        read(path)
    assert str(caught.value).startswith(f"a TIFF of {content}")
    assert "which is not read: save it as grey, RGB or RGBA of 8 or 16 bits" in str(caught.value)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("bands", "dtype", "kind", "photometric"),
    [
        (13, np.uint16, UNSIGNED, GREY), (13, np.float32, FLOAT, GREY), (13, np.int16, SIGNED, GREY),
        (5, np.uint8, UNSIGNED, RGB), (5, np.uint16, UNSIGNED, RGB), (4, np.uint16, UNSIGNED, RGB),
        (3, np.float32, FLOAT, RGB), (2, np.uint16, UNSIGNED, GREY), (2, np.uint8, UNSIGNED, GREY),
        (1, np.float64, FLOAT, GREY), (3, np.uint16, UNSIGNED, RGB),
    ],
)  # fmt: skip
def test_networks_of_bands_read_any(tmp_path, bands, dtype, kind, photometric, order):
    """A file of more than four bands is no picture; a mask it never is."""
    numbers = np.random.default_rng(0).integers(0, 100, (9, 11, bands)).astype(dtype)
    path = tiff(tmp_path / "a.tif", numbers, kind, photometric, order=order)
    expected = numbers.astype(np.float32) / np.float32(255 if dtype == np.uint8 else 1)
    np.testing.assert_array_equal(read_bands_of(path), expected)
    assert shape_of_bands(path) == (9, 11, bands)
    if bands > 4:
        np.testing.assert_array_equal(decode(path), shown_triple(expected))
        assert upright_size(path) == (9, 11)
        with pytest.raises(ImageError, match=f"^a TIFF of {bands} bands of"):
            decode_mask(path)


@pytest.mark.parametrize(
    ("dtype", "kind", "content"),
    [(np.float32, FLOAT, "32-bit float"), (np.int16, SIGNED, "16-bit signed"), (np.int32, SIGNED, "32-bit signed")],
)
def test_what_has_no_white_is_named(tmp_path, dtype, kind, content):
    path = tiff(tmp_path / "a.tif", np.ones((3, 5, 1), dtype), kind, GREY)
    with pytest.raises(ImageError, match=f"^a TIFF of 1 band of {content} numbers .*no value is defined as white"):
        decode(path)


def test_compression(tmp_path):
    path = tiff(tmp_path / "a.tif", np.ones((3, 5, 3), np.uint8), UNSIGNED, RGB, compression=34887)
    with pytest.raises(ImageError, match=r"^a TIFF with compression number 34887, which is not read: save it with LZW"):
        decode(path)


def test_a_plain_one_is_read_and_a_cut_one_is_damaged(tmp_path):
    pixels = np.arange(45, dtype=np.uint8).reshape(3, 5, 3)
    path = tiff(tmp_path / "a.tif", pixels, UNSIGNED, RGB)
    np.testing.assert_array_equal(decode(path), pixels)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ImageError, match="damaged"):
        decode(path)


def test_nothing_is_printed(tmp_path, capfd):
    path = tiff(tmp_path / "a.tif", np.ones((3, 5, 13), np.uint16), UNSIGNED, GREY)
    with pytest.raises(ImageError):
        decode_mask(path)
    path.write_bytes(path.read_bytes().replace(struct.pack("<HHIH", 278, 3, 1, 3), struct.pack("<HHIH", 278, 3, 1, 1)))
    with pytest.raises(ImageError, match="damaged TIFF: 1 of 3 parts"):
        decode(path)
    assert capfd.readouterr() == ("", "")
