"""Views, pixel for pixel against torchvision and timm."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from timm.data import create_transform
from torchvision import transforms
from torchvision.transforms import InterpolationMode

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.images import Geometry, geometry

ORIGINAL_SIZES = [(500, 375), (375, 500), (256, 256), (224, 224), (333, 1001), (7, 10), (10, 7), (1, 3), (257, 255)]


def noise(size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)


def as_bytes(tensor) -> np.ndarray:
    return (tensor.permute(1, 2, 0) * 255).round().byte().numpy()


@pytest.mark.parametrize("original_size", ORIGINAL_SIZES)
@pytest.mark.parametrize(("resize", "crop"), [(256, 224), (224, 224), (232, 225), (129, 96)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest", "lanczos"])
def test_crop_is_that_of_torchvision(original_size, resize, crop, interpolation):
    pixels = noise(original_size)
    foreign = transforms.Compose(
        [
            transforms.Resize(resize, InterpolationMode(interpolation)),
            transforms.CenterCrop(crop),
            transforms.ToTensor(),
        ]
    )
    ours = Geometry((crop, crop), "crop", (resize, resize), interpolation).view(pixels)
    np.testing.assert_array_equal(ours.pixels, as_bytes(foreign(Image.fromarray(pixels))))


@pytest.mark.parametrize("original_size", ORIGINAL_SIZES)
@pytest.mark.parametrize("input_size", [(224, 224), (160, 224), (225, 113)])
@pytest.mark.parametrize("crop_fraction", [1.0, 0.875, 0.95])
@pytest.mark.parametrize(("mode", "timm_mode"), [("crop", "center"), ("squash", "squash")])
def test_view_is_that_of_timm(original_size, input_size, crop_fraction, mode, timm_mode):
    pixels = noise(original_size)
    foreign = create_transform(
        (3, *input_size),
        is_training=False,
        interpolation="bicubic",
        mean=(0, 0, 0),
        std=(1, 1, 1),
        crop_pct=crop_fraction,
        crop_mode=timm_mode,
    )
    resize_size = (int(input_size[0] / crop_fraction), int(input_size[1] / crop_fraction))
    ours = Geometry(input_size, mode, resize_size, "bicubic").view(pixels)
    np.testing.assert_array_equal(ours.pixels, as_bytes(foreign(Image.fromarray(pixels))))


def test_squash_resizes_straight_to_the_input_size():
    pixels = noise((90, 47))
    expected = np.asarray(Image.fromarray(pixels).resize((33, 20), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(Geometry((20, 33), "squash").view(pixels).pixels, expected)


def test_box_of_a_crop():
    # 200×100 becomes 64×32; of its 64 rows the middle 32 are shown, 16 at each end are cut: 50 original rows.
    view = Geometry((32, 32)).view(noise((200, 100)), "tower")
    assert (view.item_id, view.box, view.original_size) == ("tower", (0, 50, 100, 150), (200, 100))
    # 100×100 becomes 40×40; 4 rows and columns are cut at each side: 10 original pixels.
    assert Geometry((32, 32), resize_size=(40, 40)).view(noise((100, 100))).box == (10, 10, 90, 90)


def test_box_of_a_squash_is_the_whole_image():
    assert Geometry((32, 48), "squash").box((200, 100)) == (0, 0, 100, 200)


def test_mask_follows_its_image():
    mask = np.zeros((90, 120), bool)
    mask[20:60, 40:90] = True
    pixels = np.repeat(mask[..., None] * np.uint8(255), 3, axis=2)
    for shape in (Geometry((45, 45)), Geometry((30, 50), "squash"), Geometry((33, 57), resize_size=(40, 61))):
        near = Geometry(shape.input_size, shape.mode, shape.resize_size, "nearest")
        np.testing.assert_array_equal(shape.mask_on_view(mask), near.view(pixels).pixels[..., 0] > 0)
        assert shape.mask_on_view(mask).any()


def test_mask_at_input_size_is_unchanged():
    mask = np.random.default_rng(0).random((32, 32)) > 0.5
    np.testing.assert_array_equal(Geometry((32, 32)).mask_on_view(mask), mask)


def test_strip_that_would_need_gigabytes_gives_the_same_view(monkeypatch):
    pixels = np.repeat(noise((1, 3000)), 2, axis=0)
    exact = Geometry((64, 64)).view(pixels)
    monkeypatch.setattr(geometry, "LARGEST_RESIZED", 64 * 64)
    economical = Geometry((64, 64)).view(pixels)
    np.testing.assert_allclose(economical.pixels.astype(int), exact.pixels, atol=1)
    assert economical.box == exact.box


def test_very_long_strip_is_no_trouble():
    # 256 × 51 million pixels if it were resized first.
    assert Geometry((224, 224), resize_size=(256, 256)).view(noise((1, 200_000))).pixels.shape == (224, 224, 3)


@pytest.mark.parametrize("size", [(0, 5), (5, -1), (5.0, 5), (5,), (5, 5, 3)])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(UsageError, match="two positive whole numbers"):
        Geometry(size)
    with pytest.raises(UsageError):
        Geometry((4, 4), resize_size=size)


def test_resize_below_the_input_size_is_refused():
    with pytest.raises(UsageError, match=r"\(224, 200\) is smaller than input_size \(224, 224\)"):
        Geometry((224, 224), resize_size=(224, 200))


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean bilinear"):
        Geometry((4, 4), interpolation="bilinar")
    with pytest.raises(UnknownNameError, match="did you mean crop"):
        Geometry((4, 4), "crpo")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64])
def test_label_maps_are_cut_like_masks(dtype: type) -> None:
    """Each number lies on the view where the mask of that number lies; none are mixed."""
    labels = np.random.default_rng(0).choice([0, 1, 200], (30, 41)).astype(dtype)
    labels *= 300 if dtype is not np.uint8 else 1
    for way in (Geometry((8, 8), resize_size=(10, 10)), Geometry((16, 12), "squash"), Geometry((64, 64))):
        view_labels = way.labels_on_view(labels)
        assert view_labels.dtype == dtype
        assert set(np.unique(view_labels)) <= set(np.unique(labels))
        for number in np.unique(labels)[1:]:
            np.testing.assert_array_equal(view_labels == number, way.mask_on_view(labels == number))
