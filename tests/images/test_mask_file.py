"""Masks as they lie about: lossy, softened, with void, in alpha, empty or full."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from lumiscope.images import open_images
from lumiscope.images.mask_file import MaskNote, read_mask_file
from picture_files import noise, saved

ROW, COLUMN = np.mgrid[:96, :128]
SQUARE = (ROW >= 24) & (ROW < 72) & (COLUMN >= 32) & (COLUMN < 80)
DISC = (ROW - 47.5) ** 2 + (COLUMN - 63.5) ** 2 <= 30**2
WHITE = np.uint8(255)


def grey(mask: np.ndarray, level: int = 255) -> Image.Image:
    return Image.fromarray(mask.astype(np.uint8) * np.uint8(level))


def regions(*numbers: int, dtype: type = np.uint8) -> np.ndarray:
    """Numbers in upright stripes of 8 pixels, over and over."""
    return np.tile(np.repeat(np.array(numbers, dtype), 8), (16, 2))


class TestShades:
    @pytest.mark.parametrize(
        ("ending", "options"),
        [
            ("jpg", {"quality": 75}),
            ("jpg", {"quality": 20}),
            ("webp", {"quality": 60}),
            ("webp", {"quality": 10}),
            ("avif", {"quality": 20}),
            ("jp2", {"irreversible": True, "quality_mode": "rates", "quality_layers": [30]}),
        ],
    )
    @pytest.mark.parametrize("mode", ["L", "RGB"])
    def test_a_square_that_was_compressed_is_the_same_square(self, tmp_path, ending, options, mode):
        reading = read_mask_file(saved(grey(SQUARE).convert(mode), tmp_path / f"m.{ending}", **options))
        np.testing.assert_array_equal(reading.object, SQUARE)
        assert not reading.void.any()

    @pytest.mark.parametrize("quality", [40, 75])
    def test_what_was_compressed_and_saved_again_without_loss(self, tmp_path, quality):
        lossy = Image.open(saved(grey(DISC), tmp_path / "m.webp", quality=quality)).convert("L")
        np.testing.assert_array_equal(read_mask_file(saved(lossy, tmp_path / "m.png")).object, DISC)

    def test_half_the_highest_value_counts(self, tmp_path):
        levels = (SQUARE * WHITE).astype(np.uint8)
        levels[24, 32:80] = 127
        levels[71, 32:80] = 128
        expected = SQUARE.copy()
        expected[24] = False
        reading = read_mask_file(saved(Image.fromarray(levels), tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, expected)
        assert reading.notes == (MaskNote.SHADED,)

    @pytest.mark.parametrize("peak", [20, 40, 50, 63])
    def test_dark_masks_with_soft_edges(self, tmp_path, peak):
        blurred = grey(DISC, peak).filter(ImageFilter.GaussianBlur(2))
        levels = np.array(blurred)
        reading = read_mask_file(saved(blurred, tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, levels >= levels.max() / 2)
        assert reading.notes == (MaskNote.SHADED,)
        assert abs(reading.object.sum() - DISC.sum()) < 0.03 * DISC.sum()

    @pytest.mark.parametrize("quality", [40, 75])
    def test_dark_masks_that_were_compressed_and_saved_again(self, tmp_path, quality):
        lossy = Image.open(saved(grey(DISC, 45), tmp_path / "m.jpg", quality=quality))
        reading = read_mask_file(saved(lossy, tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, np.array(lossy) >= np.array(lossy).max() / 2)
        assert (reading.object != DISC).mean() < 0.003
        assert reading.notes == (MaskNote.SHADED,)

    def test_dark_masks_with_few_numbers_are_numbers(self, tmp_path):
        levels = np.where(DISC, 40, 0).astype(np.uint8)
        levels[24:72:2, 60] = 3  # thin things of other classes
        levels[25:72:2, 62] = 17
        reading = read_mask_file(saved(Image.fromarray(levels), tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, DISC)
        assert reading.notes == ()

    def test_many_numbers_of_instances_are_numbers(self, tmp_path):
        reading = read_mask_file(saved(Image.fromarray(regions(*range(12))), tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, regions(*range(12)) > 0)
        assert reading.notes == ()

    def test_16_bits(self, tmp_path):
        soft = np.array(grey(DISC).resize((64, 48), Image.Resampling.BOX)).astype(np.uint16) * 257
        reading = read_mask_file(saved(Image.fromarray(soft), tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, soft >= 32768)
        assert reading.notes == (MaskNote.SHADED,)

    def test_a_disc_made_half_as_large(self, tmp_path):
        soft = grey(DISC).resize((64, 48), Image.Resampling.BOX)
        covered = DISC.reshape(48, 2, 64, 2).sum(axis=(1, 3))
        reading = read_mask_file(saved(soft, tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, covered >= 2)


def lines(peak: int, *levels: int, width: int = 1) -> np.ndarray:
    """Half none and half the peak, with upright lines of other levels in either, `width` pixels each, apart."""
    picture = np.where(np.arange(96) < 48, 0, peak)
    for number, level in enumerate(levels):
        start = 4 + 6 * number
        picture[start : start + width] = level
    return np.tile(picture.astype(np.uint8), (64, 1))


class TestWhereShadesBegin:
    """At the numbers that tell them from numbers of classes."""

    def said(self, folder: Path, levels: np.ndarray) -> bool:
        return read_mask_file(saved(Image.fromarray(levels), folder / "m.png")).notes == (MaskNote.SHADED,)

    @pytest.mark.parametrize(("level", "shaded"), [(24, False), (25, True), (174, True), (175, False)])
    def test_an_eighth_from_either_end(self, tmp_path, level, shaded):
        assert self.said(tmp_path, lines(200, level)) == shaded

    @pytest.mark.parametrize(("peak", "shaded"), [(63, False), (64, True)])
    def test_few_levels_below_64_are_numbers(self, tmp_path, peak, shaded):
        assert self.said(tmp_path, lines(peak, 30)) == shaded

    @pytest.mark.parametrize(("levels", "shaded"), [((10, 15, 20, 25, 30), False), ((10, 15, 20, 25, 30, 35), True)])
    def test_eight_levels_below_64_are_shades(self, tmp_path, levels, shaded):
        """With none and the peak they are 7 or 8."""
        assert self.said(tmp_path, lines(60, *levels)) == shaded

    @pytest.mark.parametrize(("width", "shaded"), [(6, False), (7, True)])
    def test_dark_shades_are_fewer_than_what_is_none_and_than_the_object(self, tmp_path, width, shaded):
        """Six lines of a pixel each beside an object of some columns."""
        levels = lines(60, 10, 15, 20, 25, 30, 35)
        levels[:, 48 + width :] = 0
        assert self.said(tmp_path, levels) == shaded

    @pytest.mark.parametrize(("lowest", "void"), [(85, False), (86, False), (87, True)])
    def test_levels_that_are_evenly_spread_up_to_rounding_have_no_void(self, tmp_path, lowest, void):
        reading = read_mask_file(saved(Image.fromarray(regions(0, lowest, 170, 255)), tmp_path / "m.png"))
        assert reading.void.any() == void

    @pytest.mark.parametrize(("narrow", "shaded"), [(2, False), (3, True)])
    def test_half_of_what_is_between_in_regions_is_numbers(self, tmp_path, narrow, shaded):
        """Two neighbours are alike in a line of one pixel, three in one of two, of which there are as many pixels."""
        levels = lines(200, *[100] * narrow)
        levels[:, 80:82] = 100
        assert self.said(tmp_path, levels) == shaded


class TestPalettesOfGrey:
    """GIF has nothing else, and a palette's order is the program's that wrote it."""

    @pytest.mark.parametrize(
        "stored",
        [
            lambda image: image,
            lambda image: image.convert("RGB"),  # whose palette Pillow begins with white
            lambda image: image.convert("P"),
            lambda image: image.quantize(256),
        ],
    )
    @pytest.mark.parametrize("ending", ["gif", "png"])
    def test_soft_and_hard_masks_are_read_as_they_are_drawn(self, tmp_path, stored, ending):
        soft = grey(DISC).resize((64, 48), Image.Resampling.BOX)
        reading = read_mask_file(saved(stored(soft), tmp_path / f"soft.{ending}"))
        np.testing.assert_array_equal(reading.object, DISC.reshape(48, 2, 64, 2).sum(axis=(1, 3)) >= 2)
        assert reading.notes == (MaskNote.SHADED,)
        reading = read_mask_file(saved(stored(grey(SQUARE)), tmp_path / f"hard.{ending}"))
        np.testing.assert_array_equal(reading.object, SQUARE)
        assert reading.notes == ()

    def test_indices_that_may_be_classes_stay(self, tmp_path):
        """Spread greys in the order of the indices; two indices in one grey; colours."""
        for palette in ([0, 0, 0, 85, 85, 85, 170, 170, 170], [255] * 3 + [0] * 6, [0, 0, 0, 0, 0, 255, 9, 0, 0]):
            image = Image.fromarray(regions(0, 1, 2))
            image.putpalette(palette)
            reading = read_mask_file(saved(image, tmp_path / "m.png"))
            np.testing.assert_array_equal(reading.object, regions(0, 1, 2) > 0)
            assert reading.notes == ()

    @pytest.mark.parametrize(("darkest", "shaded"), [(0, True), (1, False)])
    def test_shades_begin_with_black(self, tmp_path, darkest, shaded):
        """A disc made half as large: how many of four pixels are in it, drawn in five greys."""
        covered = DISC.reshape(48, 2, 64, 2).sum(axis=(1, 3))
        image = Image.fromarray(covered.astype(np.uint8))
        image.putpalette(np.repeat([darkest, 60, 110, 240, 255], 3).tolist())
        reading = read_mask_file(saved(image, tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, covered >= (3 if shaded else 1))
        assert reading.notes == ((MaskNote.SHADED,) if shaded else ())


class TestNumbers:
    @pytest.mark.parametrize(
        "numbers", [(0, 1), (0, 3), (0, 255), (0, 1, 2, 3), (0, 5, 20), (0, 90, 150), (0, 85, 170, 255)]
    )
    @pytest.mark.parametrize("mode", ["L", "P"])
    def test_everything_above_0_is_object(self, tmp_path, numbers, mode):
        image = Image.fromarray(regions(*numbers))
        if mode == "P":
            image.putpalette([9] * 768)
        reading = read_mask_file(saved(image, tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, regions(*numbers) > 0)
        assert reading.notes == ()

    @pytest.mark.parametrize("numbers", [(0, 1, 255), (0, 7, 255), (0, 1, 2, 20, 255), (0, 90, 150, 255), (1, 255)])
    @pytest.mark.parametrize("mode", ["L", "P", "RGB"])
    def test_255_beside_others_is_void(self, tmp_path, numbers, mode):
        image = Image.fromarray(regions(*numbers))
        if mode == "P":
            image.putpalette([9] * 768)
        reading = read_mask_file(saved(image.convert("RGB") if mode == "RGB" else image, tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, (regions(*numbers) > 0) & (regions(*numbers) < 255))
        np.testing.assert_array_equal(reading.void, regions(*numbers) == 255)
        assert reading.notes == (MaskNote.VOID, *([MaskNote.FULL] if 0 not in numbers else []))

    def test_65535_is_void_in_16_bits(self, tmp_path):
        image = Image.fromarray(regions(0, 300, 65535, dtype=np.uint16))
        reading = read_mask_file(saved(image, tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, regions(0, 300, 65535, dtype=np.uint16) == 300)

    def test_a_thin_border_of_void_round_an_object(self, tmp_path):
        levels = SQUARE * np.uint8(15)
        inner = np.zeros_like(SQUARE)
        inner[25:71, 33:79] = True
        levels[SQUARE & ~inner] = 255
        reading = read_mask_file(saved(Image.fromarray(levels), tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, inner)

    def test_colours_of_classes_are_object(self, tmp_path):
        colours = np.zeros((*SQUARE.shape, 3), np.uint8)
        colours[SQUARE], colours[:8] = (128, 0, 0), (0, 64, 0)
        reading = read_mask_file(saved(Image.fromarray(colours), tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, SQUARE | (ROW < 8))


class TestAlpha:
    @pytest.mark.parametrize("colour", [0, 255])
    def test_the_object_is_in_alpha_alone(self, tmp_path, colour):
        flat = Image.new("RGB", grey(SQUARE).size, (colour,) * 3)
        flat.putalpha(grey(SQUARE))
        reading = read_mask_file(saved(flat, tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, SQUARE)
        assert reading.notes == (MaskNote.ALPHA,)

    def test_transparency_that_says_what_the_numbers_say_is_no_news(self, tmp_path):
        image = grey(SQUARE, 1)
        image.putpalette([0, 0, 0, 128, 0, 0] + [0] * 762)
        reading = read_mask_file(saved(image, tmp_path / "m.png", transparency=0))
        np.testing.assert_array_equal(reading.object, SQUARE)
        assert reading.notes == ()

    def test_a_picture_that_was_cut_out(self, tmp_path):
        picture = Image.fromarray(noise(96, 128))
        picture.putalpha(grey(SQUARE))
        np.testing.assert_array_equal(read_mask_file(saved(picture, tmp_path / "m.png")).object, SQUARE)

    def test_soft_edges_in_alpha(self, tmp_path):
        flat = Image.new("L", (64, 48))
        flat.putalpha(grey(DISC).resize((64, 48), Image.Resampling.BOX))
        reading = read_mask_file(saved(flat, tmp_path / "m.png"))
        np.testing.assert_array_equal(reading.object, DISC.reshape(48, 2, 64, 2).sum(axis=(1, 3)) >= 2)
        assert reading.notes == (MaskNote.ALPHA, MaskNote.SHADED)

    def test_colours_that_can_be_told_apart_count(self, tmp_path):
        image = grey(SQUARE).convert("RGB")
        image.putalpha(grey(COLUMN < 64))
        np.testing.assert_array_equal(read_mask_file(saved(image, tmp_path / "m.png")).object, SQUARE)


def test_empty_and_full_masks_are_said_once_with_their_images(tmp_path: Path) -> None:
    masks = {"empty": 0 * SQUARE, "none": 0 * SQUARE, "full": 1 - 0 * SQUARE, "square": SQUARE}
    for name, mask in masks.items():
        saved(grey(mask), tmp_path / f"{name}-mask.png")
        saved(Image.fromarray(noise(96, 128)), tmp_path / f"{name}.png")
    (tmp_path / "list.csv").write_text("image,mask\n" + "".join(f"{name}.png,{name}-mask.png\n" for name in masks))
    images = open_images(tmp_path / "list.csv")
    assert images.notes == (f"{MaskNote.EMPTY}: empty.png, none.png", f"{MaskNote.FULL}: full.png")
    assert [int(item.mask.sum()) for item in images] == [0, 0, 96 * 128, 48 * 48]


def test_the_border_of_pascal_voc_is_void_in_colours_too(tmp_path: Path) -> None:
    colours = np.zeros((8, 8, 3), np.uint8)
    colours[2:6, 2:6] = 224, 224, 192
    colours[3:5, 3:5] = 128, 0, 0
    Image.fromarray(colours).save(tmp_path / "voc.png")
    reading = read_mask_file(tmp_path / "voc.png")
    border = np.zeros((8, 8), np.bool_)
    border[2:6, 2:6] = True
    border[3:5, 3:5] = False
    np.testing.assert_array_equal(reading.object, (colours == (128, 0, 0)).all(-1))
    np.testing.assert_array_equal(reading.void, border)
    assert MaskNote.VOID in reading.notes
    colours[3:5, 3:5] = 224, 224, 192
    Image.fromarray(colours).save(tmp_path / "one.png")
    assert read_mask_file(tmp_path / "one.png").object.sum() == 16, "alone it is the colour of the object"
