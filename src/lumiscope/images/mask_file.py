"""Files with the mask of one object: which pixels are object, and what had to be assumed to say so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lumiscope.images._boxes import read_boxes
from lumiscope.images._formats import LOSSY
from lumiscope.images._raster import loaded, orientation, turned
from lumiscope.types import BoolArray, ByteArray

Levels = NDArray[Any]

# What data sets write where nobody knows what a pixel shows, in 8 and in 16 bits.
VOID = (255, 65535)
BOXES = ".xml"
VOC_BORDER = (224, 224, 192)  # what Pascal VOC paints around objects, in its colours void
# This close to none and to the highest level there is noise. A highest level below `FEW` is a number of a class, unless
# there are `MANY` levels and most pixels lie at both ends.
LOW, FEW, MANY = 1 / 8, 64, 8


class MaskNote(StrEnum):
    """What a reader must know of how a mask was read."""

    SHADED = "masks with shades, as lossy or softened ones have: object is what has half the highest value or more"
    VOID = "masks with 255 (of 16 bits: or 65535) beside other numbers: it is void, which no comparison counts"
    ALPHA = "masks whose object is in the transparency (alpha) alone: it was taken from there"
    BOXES = "masks that are boxes: object is all that lies in one, so that parts of the background count as object"
    EMPTY = "masks that are empty: there is no object on them"
    FULL = "masks that cover the whole image: nothing on them is outside the object"


@dataclass(frozen=True, eq=False)
class MaskReading:
    """A mask as read. `object`: (H, W) bool. `void`: (H, W) bool, pixels of which nothing is known. Never both."""

    object: BoolArray
    void: BoolArray
    notes: tuple[MaskNote, ...] = ()


def read_mask_file(path: Path) -> MaskReading:
    """Return the mask in `path`, turned as its EXIF orientation says.

    Numbers (a grey value or a palette's index; of colours the strongest channel): object is what is above 0. Where 255
    or 65535 stands beside other numbers it is void. What a palette draws in shades of grey, or in black under another
    index than 0, as GIF and quantising have it, is read as drawn. Shades, as lossy and anti-aliased masks have them:
    object is what has at least half the highest value. Alpha is ignored, unless the object is in it alone. Of a file
    `.xml` with boxes object is what lies in one.

    Raises ImageError as `decode` does.
    """
    if path.suffix.lower() == BOXES:
        inside = read_boxes(path)
        boxes = MaskReading(inside, np.zeros_like(inside))
        return replace(boxes, notes=(MaskNote.BOXES, *_extremes(boxes)))
    with loaded(path) as stored:
        is_lossy = stored.format in LOSSY or (stored.format == "WEBP" and _is_lossy_webp(path))
        image = turned(stored, orientation(stored))
        levels, alpha, has_numbers = _levels(image)
        is_palette = image.mode in {"P", "PA"}
        greys = _drawn_greys(image, levels) if is_palette else None
        levels, is_palette = (levels, is_palette) if greys is None else (greys, False)
    notes: list[MaskNote] = []
    if alpha is not None and _only_in_alpha(levels, alpha, is_palette):
        levels, is_palette, has_numbers = alpha, False, True
        notes.append(MaskNote.ALPHA)
    reading = _read(levels, can_be_shaded=not is_palette, is_lossy=is_lossy, has_numbers=has_numbers)
    return MaskReading(reading.object, reading.void, (*notes, *reading.notes, *_extremes(reading)))


def decode_mask(path: Path) -> BoolArray:
    """Return the object of `read_mask_file`: (H, W) bool. Raises ImageError as `decode` does."""
    return read_mask_file(path).object


def _is_lossy_webp(path: Path) -> bool:
    # The chunk of lossy pixels is called VP8 and that of lossless ones VP8L; a short header may come first.
    with path.open("rb") as file:
        return b"VP8 " in file.read(64)


def _levels(image: Image.Image) -> tuple[Levels, ByteArray | None, bool]:
    """The (H, W) values of a mask, its alpha where it has one, and whether the values are numbers, not colours."""
    bands = image.getbands()
    alpha = None
    if image.has_transparency_data:
        alpha = np.array(image.convert("RGBA"))[..., 3]
    if len(bands) == 1:
        return np.array(image), alpha, True
    if len(bands) == 2:
        return np.array(image)[..., 0], alpha, True
    colour: ByteArray = np.array(image if bands[:3] == ("R", "G", "B") else image.convert("RGB"))[..., :3]
    border = (colour == VOC_BORDER).all(axis=-1)
    shown = colour.max(axis=-1) > 0
    if border.any() and (shown & ~border).any():
        return np.where(border, VOID[0], shown), alpha, True
    return colour.max(axis=-1), alpha, bool((colour.min(axis=-1) == colour.max(axis=-1)).all())


def _drawn_greys(image: Image.Image, levels: Levels) -> ByteArray | None:
    """The (H, W) greys that a palette draws, where its indices are no numbers of classes; None where they may be.

    They are none where each is drawn as a grey of its own, down to black, and these are shades, or black and white of
    which black is not 0.
    """
    palette = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    used = np.unique(levels)
    if used[-1] >= len(palette) or (palette[used] != palette[used, :1]).any():
        return None
    drawn: ByteArray = palette[levels, 0]
    if drawn.min() > 0 or len(np.unique(drawn)) < len(used):
        return None
    is_turned = set(np.unique(drawn)) == {0, 255} and ((drawn == 0) != (levels == 0)).any()
    return drawn if _is_shaded(drawn) or is_turned else None


def _only_in_alpha(levels: Levels, alpha: ByteArray, is_palette: bool) -> bool:
    """Whether alpha tells parts of the image apart, and colour does not where it can be seen, or is that of a photo."""
    visible = levels[alpha > 0]
    if not visible.size or alpha.min() == alpha.max():
        return False
    says_the_same = np.isin(alpha, (0, 255)).all() and ((levels > 0) == (alpha > 0)).all()
    is_flat = bool((visible == visible[0]).all())
    return (is_flat and not says_the_same) or (not is_palette and _is_shaded(levels))


def _read(levels: Levels, *, can_be_shaded: bool, is_lossy: bool, has_numbers: bool) -> MaskReading:
    nothing: BoolArray = np.zeros(levels.shape, np.bool_)
    numbers = [number for number in _distinct(levels) if number > 0]
    if len(numbers) < 2:
        return MaskReading(levels > 0, nothing)
    if can_be_shaded and (is_lossy or _is_shaded(levels)):
        return MaskReading(levels >= numbers[-1] / 2, nothing, (MaskNote.SHADED,))
    if has_numbers and numbers[-1] in VOID and not _evenly_spread(numbers):
        void = levels == numbers[-1]
        return MaskReading((levels > 0) & ~void, void, (MaskNote.VOID,))
    return MaskReading(levels > 0, nothing)


def _extremes(reading: MaskReading) -> Iterator[MaskNote]:
    if not reading.object.any():
        yield MaskNote.EMPTY
    elif (reading.object | reading.void).all():
        yield MaskNote.FULL


def _is_shaded(levels: Levels) -> bool:
    """Whether the levels between none and the highest are the soft edges or the noise of one object, not regions.

    Numbers of classes lie in regions, of which most pixels have three of four neighbours alike; edges do not. The noise
    of strong compression may, but it lies close to black and to white, where no data set has its classes.
    """
    peak = levels.max()
    if peak >= 1 and peak < FEW and levels.dtype.kind in "iu":
        return _is_dark_object(levels)
    between = (levels > 0) & (levels < peak)
    middle = between & (levels >= LOW * peak) & (levels < (1 - LOW) * peak)
    if peak in VOID and (between & (levels >= (1 - LOW) * peak)).any():
        return not (middle.any() and _in_regions(levels, middle))
    return bool(middle.any()) and not _in_regions(levels, between)


def _is_dark_object(levels: Levels) -> bool:
    """Whether levels below `FEW` are shades: many, most of them none or at a plateau, and the others in no regions."""
    values, counts = np.unique(levels, return_counts=True)
    bright = values >= values[-1] / 2
    plateau = int(values[bright][counts[bright].argmax()])
    dark, high = np.count_nonzero(levels < LOW * plateau), np.count_nonzero(levels >= (1 - LOW) * plateau)
    others = (levels >= LOW * plateau) & (levels != plateau)
    is_split = len(values) >= MANY and bool(levels.size - dark - high < min(dark, high))
    return is_split and bool(others.any()) and not _in_regions(levels, others)


def _in_regions(levels: Levels, chosen: BoolArray) -> bool:
    """Whether at least half the chosen pixels have three of their four neighbours at their own level."""
    padded = np.pad(levels, 1, mode="edge")
    neighbours = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    alike = np.sum([neighbour == levels for neighbour in neighbours], axis=0)
    return bool((alike[chosen] >= 3).mean() >= 0.5)


def _evenly_spread(numbers: list[float]) -> bool:
    """Whether a few numbers were spread from 0 to the highest so that they can be seen, as 85, 170, 255."""
    steps = np.arange(1, len(numbers) + 1) / len(numbers)
    return bool(np.abs(np.array(numbers) - numbers[-1] * steps).max() <= 1)


def _distinct(levels: Levels) -> list[float]:
    return [float(number) for number in np.unique(levels) if np.isfinite(number)]
