"""Files of bands: what is read of arrays and TIFFs, what is shown of them, and what is refused in words."""

from __future__ import annotations

import ast
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import lumiscope
from lumiscope.errors import ImageError
from lumiscope.images import Geometry, decode, read_bands, read_pixels, shown_triple
from lumiscope.images._raster import is_image, upright_size
from lumiscope.images.bands import read_bands_of
from lumiscope.images.decode import decode_labels

CUBE = np.random.default_rng(0).uniform(-5, 3000, (5, 12, 10)).astype(np.float32)
LAST = np.moveaxis(CUBE, 0, 2)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16, np.uint16])
def test_arrays_in_either_order(tmp_path, kind):
    numbers = np.abs(CUBE).astype(kind)
    np.save(tmp_path / "first.npy", numbers)
    np.save(tmp_path / "last.npy", np.moveaxis(numbers, 0, 2))
    np.savez_compressed(tmp_path / "one.npz", cube=numbers, names=np.array(["a", "b"]), matrix=np.zeros((2, 2)))
    np.savez(tmp_path / "named.npz", bands=numbers, other=np.zeros((3, 9, 9)))
    for name in ("first.npy", "last.npy", "one.npz", "named.npz"):
        bands = read_bands(str(tmp_path / name))
        assert bands.dtype == np.float32
        np.testing.assert_array_equal(bands, np.moveaxis(numbers, 0, 2).astype(np.float32))
        assert is_image(tmp_path / name)
        assert upright_size(tmp_path / name) == (12, 10)


def test_eight_bits_are_divided_by_255(tmp_path):
    numbers = np.random.default_rng(0).integers(0, 256, (9, 8, 4), np.uint8)
    np.save(tmp_path / "a.npy", numbers)
    np.testing.assert_allclose(read_bands(str(tmp_path / "a.npy")), numbers / 255, rtol=1e-6)


def test_a_plane_is_one_band(tmp_path):
    np.save(tmp_path / "a.npy", CUBE[0])
    np.testing.assert_array_equal(read_bands(str(tmp_path / "a.npy"))[..., 0], CUBE[0])
    assert not is_image(tmp_path / "a.npy")  # as a label map beside a picture


def test_tiffs_of_a_frame_a_band(tmp_path):
    frames = [Image.fromarray(plane) for plane in CUBE]
    frames[0].save(tmp_path / "float.tif", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_bands(str(tmp_path / "float.tif")), LAST)
    wide = [Image.fromarray(np.abs(plane).astype(np.uint16)) for plane in CUBE]
    wide[0].save(tmp_path / "wide.tif", save_all=True, append_images=wide[1:])
    np.testing.assert_array_equal(read_bands(str(tmp_path / "wide.tif")), np.abs(LAST).astype(np.uint16))


@pytest.mark.parametrize("mode", ["CMYK", "RGBA"])
def test_tiffs_of_four_channels(tmp_path, mode):
    numbers = np.random.default_rng(0).integers(0, 256, (9, 8, 4), np.uint8)
    Image.fromarray(numbers, mode).save(tmp_path / "a.tif")
    np.testing.assert_allclose(read_bands(str(tmp_path / "a.tif")), numbers / 255, rtol=1e-6)


def test_the_shown_bands_are_stretched_between_percentiles():
    ramp = np.linspace(0, 100, 101, dtype=np.float32)
    bands = np.stack([np.tile(ramp, (4, 1)) * factor for factor in (1, 10, -1, 0)], axis=2)
    shown = shown_triple(bands, (1, 2, 3))
    expected = np.rint(np.clip((ramp - 2) / 96, 0, 1) * 255)
    np.testing.assert_array_equal(shown[0, :, 0], expected)
    np.testing.assert_array_equal(shown[0, :, 1], expected[::-1])
    assert not shown[..., 2].any()
    np.testing.assert_array_equal(shown_triple(bands)[..., 1:], shown[..., :2])
    np.testing.assert_array_equal(shown_triple(bands[..., :2])[..., 2], shown[..., 0])


def test_a_view_cuts_bands_as_it_cuts_pixels(tmp_path):
    """A band that is a channel of the picture stays that channel, up to the rounding of 8 bits."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    geometry = Geometry((8, 8), resize_size=(10, 10))
    view = geometry.view(pixels, "a", pixels.astype(np.float32))
    assert view.bands is not None
    assert np.abs(view.bands - view.pixels).max() <= 1
    assert view.fed is view.bands
    np.testing.assert_array_equal(view.mirrored().fed, view.bands[:, ::-1])
    assert geometry.view(pixels, "a").fed.dtype == np.uint8


def test_an_image_set_of_bands_shows_the_first_three(tmp_path):
    np.save(tmp_path / "a.npy", CUBE)
    np.savez(tmp_path / "b.npz", LAST)
    images = lumiscope.open_images(tmp_path)
    assert [item.name for item in images] == ["a.npy", "b.npz"]
    for item in images:
        np.testing.assert_array_equal(item.pixels, shown_triple(LAST))
        np.testing.assert_array_equal(read_pixels(item.address, (4, 0, 1)), shown_triple(LAST, (4, 0, 1)))


def test_tables_and_label_maps_beside_pictures_stay_beside(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    np.savez(tmp_path / "scores.npz", scores=np.zeros((3, 4)), images=np.array(["a"]))
    np.save(tmp_path / "a.npy", np.zeros((8, 8), np.int64))
    images = lumiscope.open_images(tmp_path)
    assert [item.name for item in images] == ["a.png"]
    assert (images.skipped, images.notes) == ((), ("no pictures, so passed over: a.npy, scores.npz",))


def refused(path):
    with pytest.raises(ImageError) as refusal:
        decode(path)
    return str(refusal.value)


def test_what_is_refused(tmp_path):
    def saved(array):
        np.save(tmp_path / "a.npy", array)
        return refused(tmp_path / "a.npy")

    assert "(4, 9, 4) may be either" in saved(np.zeros((4, 9, 4)))
    assert "got float64 of shape (3,)" in saved(np.zeros(3))
    assert "got object of shape (2,)" in saved(np.array([1, "a"], object))
    holes = CUBE.copy()
    holes[0, :3, 0] = np.nan
    assert "3 of 600 are NaN or infinite" in saved(holes)
    (tmp_path / "b.npy").write_bytes(b"no array at all")
    assert "no array of NumPy" in refused(tmp_path / "b.npy")
    np.savez(tmp_path / "two.npz", a=CUBE, b=CUBE)
    assert "one called 'bands'; got a, b" in refused(tmp_path / "two.npz")
    np.save(tmp_path / "huge.npy", np.zeros(3))
    header = (tmp_path / "huge.npy").read_bytes().replace(b"(3,), }        ", b"(4,99999,9999), }")[:128]
    (tmp_path / "huge.npy").write_bytes(header)
    assert "GiB" in refused(tmp_path / "huge.npy")


def test_headers_of_arrays_are_read_in_turn(tmp_path, monkeypatch):
    at_once, most, literal_eval = [], [], ast.literal_eval

    def slow(text):
        at_once.append(text)
        most.append(len(at_once))
        time.sleep(0.01)
        at_once.pop()
        return literal_eval(text)

    monkeypatch.setattr(ast, "literal_eval", slow)
    for number in range(8):
        np.save(tmp_path / f"{number}.npy", CUBE)
        np.save(tmp_path / f"labels{number}.npy", np.zeros((2, 2), int))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read_bands_of, [tmp_path / f"{number}.npy" for number in range(8)]))
        list(pool.map(decode_labels, [tmp_path / f"labels{number}.npy" for number in range(8)]))
    assert len(most) >= 16
    assert max(most) == 1
