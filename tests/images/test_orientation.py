"""Pictures stand upright, whichever of the eight EXIF orientations they are stored in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope.images import decode, decode_mask, open_images
from lumiscope.images._raster import upright_size
from lumiscope.images.decode import decode_labels
from picture_files import HIGH_BYTES, SIXTEEN_BITS, grey_values, noise, saved

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

    @pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_upright_size_is_that_of_the_decoded_image(self, tmp_path, orientation, ending):
        path = self.stored(noise(4, 6), orientation, tmp_path / f"a.{ending}")
        assert upright_size(path) == (4, 6)
        assert open_images(path)[0].size == decode(path).shape[:2] == (4, 6)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_label_map_is_turned_upright(self, tmp_path, orientation):
        upright = noise(4, 6)[..., 0]
        path = self.stored(upright, orientation, tmp_path / "a.png")
        np.testing.assert_array_equal(decode_labels(path), upright)

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
