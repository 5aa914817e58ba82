"""TIFFs of bands: what tifffile reads where Pillow does not read a file whole, what is refused, and its bounds."""

from __future__ import annotations

import re
from contextlib import suppress

import numpy as np
import pytest
import tifffile
from PIL import Image

import lumiscope
from lumiscope.errors import ImageError
from lumiscope.images import decode, shown_triple
from lumiscope.images._raster import is_image, upright_size
from lumiscope.images.bands import holds_bands, read_bands_of, shape_of_bands

CUBE = np.random.default_rng(0).uniform(-5, 3000, (5, 12, 10)).astype(np.float32)
LAST = np.moveaxis(CUBE, 0, 2)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("form", [{}, {"compression": "zlib", "tile": (16, 16)}, {"bigtiff": True, "rowsperstrip": 5}])
@pytest.mark.parametrize("kind", ["u1", ">u2", "i2", "f4", ">f4", "f8"])
@pytest.mark.parametrize("count", [2, 4, 13])
def test_tiffs_of_many_samples(tmp_path, count, kind, form, planar):
    """As GDAL writes them: the numbers are those that were written, whatever Pillow makes of them."""
    numbers = np.random.default_rng(0).integers(0, 200, (21, 19, count)).astype(kind)
    stored = numbers if planar == "contig" else np.moveaxis(numbers, 2, 0)
    order = numbers.dtype.byteorder.replace("=", "<").replace("|", "<")
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, photometric="minisblack", planarconfig=planar, byteorder=order, **form)
    np.testing.assert_array_equal(read_bands_of(path), numbers.astype("f4") / np.float32(255 if kind == "u1" else 1))
    assert shape_of_bands(path) == numbers.shape
    assert holds_bands(path) == (count == 13)
    if count == 13:
        assert (is_image(path), upright_size(path)) == (True, (21, 19))
        np.testing.assert_array_equal(decode(path), shown_triple(numbers.astype("f4")))


@pytest.mark.parametrize("kind", ["i2", "f4"])
def test_tiffs_whose_bytes_pillow_turns_twice(tmp_path, kind):
    numbers = np.arange(399).reshape(21, 19).astype(kind)
    tifffile.imwrite(tmp_path / "a.tif", numbers, byteorder=">", compression="zlib")
    np.testing.assert_array_equal(read_bands_of(tmp_path / "a.tif")[..., 0], numbers)


def test_pages_that_pillow_cannot_read(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, CUBE.astype(np.float64), photometric="minisblack")
    np.testing.assert_array_equal(read_bands_of(path), LAST)
    assert (shape_of_bands(path), holds_bands(path)) == ((12, 10, 5), True)


def test_smaller_copies_and_masks_of_a_tiff_are_no_bands(tmp_path):
    """As in cloud-optimised GeoTIFFs, of one band (which Pillow reads, as far as its size goes) and of several."""
    for count in (1, 7):
        numbers = np.random.default_rng(0).random((32, 48, count)).astype(np.float32)
        pixels = numbers if count > 1 else numbers[..., 0]
        with tifffile.TiffWriter(tmp_path / "a.tif") as file:
            file.write(pixels, photometric="minisblack", tile=(16, 16), planarconfig="contig" if count > 1 else None)
            file.write(pixels[::2, ::2], photometric="minisblack", subfiletype=1)
            file.write(np.ones((32, 48), bool), photometric="mask", subfiletype=4)
        np.testing.assert_array_equal(read_bands_of(tmp_path / "a.tif"), numbers)
        assert shape_of_bands(tmp_path / "a.tif") == numbers.shape


def test_colours_with_more_samples_stay_a_picture(tmp_path):
    numbers = np.random.default_rng(0).integers(0, 256, (9, 8, 5), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", numbers, photometric="rgb")
    np.testing.assert_array_equal(decode(tmp_path / "a.tif"), numbers[..., :3])
    np.testing.assert_allclose(read_bands_of(tmp_path / "a.tif"), numbers / 255, rtol=1e-6)


def renumbered(path, tag, number):
    """The TIFF at `path` with another number in a tag of 16 bits."""
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags[tag].overwrite(number)
    return path


@pytest.mark.parametrize("read", [read_bands_of, shape_of_bands, decode])
@pytest.mark.parametrize(
    ("tag", "number", "words"),
    [
        (259, 5, "compression LZW, which is not read: save it with Deflate or without compression, or as .npy"),
        (259, 7, "compression JPEG, which is not read: save it with Deflate or without compression, or as .npy"),
        (259, 50000, "compression ZSTD, which is not read: save it with Deflate"),
        (259, 12345, "compression number 12345, which is not read: save it with Deflate"),
        (317, 3, "predictor 3 (FLOATINGPOINT), which is not read: save it with predictor 2 or none, or as .npy"),
        (339, (6,) * 7, "a TIFF of 7 bands of 16-bit complex float numbers"),
    ],
)
def test_tiffs_of_bands_that_are_refused(tmp_path, tag, number, words, read):
    path = tmp_path / "a.tif"
    form = {"photometric": "minisblack", "planarconfig": "contig", "compression": "zlib", "predictor": 2}
    tifffile.imwrite(path, np.zeros((9, 8, 7), np.int16), **form)
    with pytest.raises(ImageError, match=re.escape(words)):
        read(renumbered(path, tag, number))


@pytest.mark.parametrize("read", [read_bands_of, shape_of_bands])
def test_tiffs_of_more_axes_are_refused(tmp_path, read):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((3, 9, 8, 7), np.uint16), photometric="minisblack", planarconfig="contig")
    with pytest.raises(ImageError, match=r"samples of one page, or as pages of one band; got 3 pages of YXS, \(9, 8"):
        read(path)
    with tifffile.TiffWriter(path) as file:
        file.write(np.zeros((9, 8)), photometric="minisblack")
        file.write(np.zeros((9, 6)), photometric="minisblack")
    with pytest.raises(ImageError, match=r"they are \(9, 8\) float64, \(9, 6\) float64"):
        read(path)


def test_tiffs_of_bands_take_no_more_memory_than_their_header_says(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    plain = {"photometric": "minisblack", "planarconfig": "contig"}
    tifffile.imwrite(path, np.zeros((9, 8, 7), np.uint16), **plain)
    for size, words in ((65535, "at most 2 GiB of bands; it would be 112 GiB"), (2**20, "bomb: 1048576×65535 pixels")):
        with tifffile.TiffFile(path, mode="r+") as file:
            file.pages[0].tags[256].overwrite(size, dtype="I")
            file.pages[0].tags[257].overwrite(65535, dtype="I")
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None if size == 65535 else 89_478_485)
        with pytest.raises(ImageError, match=words):
            read_bands_of(path)
    tifffile.imwrite(path, np.zeros((900, 8, 7), np.uint16), compression="zlib", **plain)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags[257].overwrite(9, dtype="I")
    with pytest.raises(ImageError, match="a part of it inflates to more than its header says"):
        read_bands_of(path)


@pytest.mark.parametrize("form", [{}, {"compression": "zlib", "tile": (16, 16)}, {"bigtiff": True}])
def test_damaged_tiffs_of_bands_are_refused_or_read(tmp_path, form, capfd, recwarn):
    path = tmp_path / "a.tif"
    numbers = np.random.default_rng(0).integers(0, 4000, (20, 17, 13)).astype(np.uint16)
    tifffile.imwrite(path, numbers, photometric="minisblack", planarconfig="contig", **form)
    content, generator = path.read_bytes(), np.random.default_rng(1)
    for number in range(30):
        damaged = bytearray(content)
        places = generator.integers(0, 350 if number % 2 else len(content), 3)
        for place in places:
            damaged[place] = generator.integers(256)
        path.write_bytes(damaged)
        for read in (read_bands_of, shape_of_bands, decode):
            with suppress(ImageError):
                assert read(path)[0] is not None
    for size in (len(content) - 1, len(content) // 2, 100, 8, 4):
        path.write_bytes(content[:size])
        with pytest.raises(ImageError, match=r"damaged|truncated"):
            decode(path)
    assert capfd.readouterr().out == ""
    assert not recwarn.list


def test_dark_pages_are_no_dark_picture(tmp_path):
    """As bands their numbers are taken as they are; a picture of one page is dark."""
    frames = [Image.fromarray(np.full((9, 8), 4095, np.uint16)) for _ in range(5)]
    frames[0].save(tmp_path / "pages.tif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "page.tif")
    notes = {name: lumiscope.open_images(tmp_path / name).notes for name in ("pages.tif", "page.tif")}
    assert notes["pages.tif"] == ()
    assert notes["page.tif"][0].startswith("16-bit images that use 12 bits")
