"""Image files to arrays: 8-bit RGB, upright, opaque. Every way in which a file can be bad becomes an ImageError."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import TiffImageFile

from lumiscope.errors import ImageError
from lumiscope.images._formats import LOSSY
from lumiscope.images._npy_headers import ONE_AT_A_TIME
from lumiscope.images._raster import loaded, orientation, reason_of, refuse_pixels, refuse_what_is_no_file, turned
from lumiscope.images._tiff import tiff_content
from lumiscope.images.bands import holds_bands, read_bands_of, shown_triple
from lumiscope.types import ByteArray, IntArray

# These formats store at most 16 bits, which Pillow widens to its 32-bit mode "I" with white at 65535.
FORMATS_WITH_16_BITS_IN_MODE_I = {"PNG", "PPM"}

# The header of a PNG has the bits of a channel at this byte.
PNG_DEPTH = 24

BITS_OF_CAMERAS = (8, 10, 12, 14)
DARK = (
    "16-bit images that use {bits} bits, so that they look dark: white is 65535. If it is to be {peak}, multiply the "
    "values by {factor} and save them again"
)


def decode(path: Path) -> ByteArray:
    """Return the pixels of `path`: (H, W, 3) uint8 RGB, turned as its EXIF orientation says.

    Transparent pixels are composited on white; 16-bit channels keep their high byte; CMYK is converted as Pillow does
    it, without a colour profile; of an animation the first frame is taken. Of a file of bands the first three are
    shown.

    Raises ImageError with a short reason that does not name the file: the caller knows the name its user gave.
    """
    return read_picture(path).pixels


@dataclass(frozen=True, eq=False)
class Picture:
    """`pixels`: (H, W, 3) uint8, as `decode` gives them. `notes`: what a reader must know of them."""

    pixels: ByteArray
    notes: tuple[str, ...] = ()


def read_picture(path: Path) -> Picture:
    """Return the picture in `path`; a note says where few of its 16 bits are used, so that it looks dark.

    Raises ImageError as `decode` does.
    """
    refuse_what_is_no_file(path)
    if holds_bands(path):
        return Picture(shown_triple(read_bands_of(path)))
    with loaded(path) as image:
        pixels = np.array(turned(_to_rgb(image), orientation(image)))
        bits = _bits_used(image, path, pixels)
    return Picture(pixels, () if bits is None else (DARK.format(bits=bits, factor=2 ** (16 - bits), peak=2**bits - 1),))


def _bits_used(image: Image.Image, path: Path, pixels: ByteArray) -> int | None:
    """The bits that a camera has, where those of a picture of 16 bits are no more; None where it is as it should be.

    None for a TIFF of several pages, too: as bands its numbers are taken as they are.
    """
    if isinstance(image, TiffImageFile) and image.is_animated:
        return None
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in FORMATS_WITH_16_BITS_IN_MODE_I):
        if _has_12_bits(image):
            return None
        largest = int(np.array(image).max())
        return next((bits for bits in BITS_OF_CAMERAS if 0 < largest < 2**bits), None)
    if _bits_stored(image, path) != 16:
        return None
    # Of colours Pillow keeps the high byte alone.
    return next((bits for bits in BITS_OF_CAMERAS if int(pixels.max()) < 2**bits // 256), None)


def _bits_stored(image: Image.Image, path: Path) -> int:
    """Bits of a channel in the file, where it may be 16."""
    if isinstance(image, TiffImageFile):
        return int(max(image.tag_v2.get(ExifTags.Base.BitsPerSample, (8,))))
    if image.format == "PNG":
        with path.open("rb") as file:
            return file.read(PNG_DEPTH + 1)[PNG_DEPTH]
    return 8


def decode_labels(path: Path) -> IntArray:
    """Return the labels in `path`: (H, W) int64, turned as its EXIF orientation says.

    The grey value or palette index of each pixel, or a number for each colour (alpha is ignored); of a file that ends
    in .npy its whole numbers.

    Raises ImageError as `decode` does.
    """
    if path.suffix == ".npy":
        return _stored_numbers(path)
    with loaded(path) as image:
        if image.format in LOSSY:
            raise ImageError(f"{image.format} changes the numbers of single pixels: save label maps as PNG")
        pixels = np.array(turned(image, orientation(image)))
    if pixels.ndim == 3 and pixels.shape[2] < 3:
        pixels = pixels[..., 0]
    if pixels.ndim == 3:
        pixels = pixels[..., :3].astype(np.int64) @ np.array([65536, 256, 1])
    return np.asarray(pixels, np.int64)


def _stored_numbers(path: Path) -> IntArray:
    refuse_what_is_no_file(path)
    try:
        # Mapped, so that a header that promises more than the file has takes no memory.
        with ONE_AT_A_TIME:
            stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError, TypeError, OverflowError) as error:
        raise ImageError(reason_of(error)) from error
    if stored.ndim != 2 or stored.dtype.kind not in "iub":
        raise ImageError(f"expected whole numbers (H, W); got {stored.dtype} of shape {stored.shape}")
    refuse_pixels(stored.shape[1], stored.shape[0])
    return np.array(stored, np.int64)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in FORMATS_WITH_16_BITS_IN_MODE_I):
        return _high_byte(image).convert("RGB")
    if image.mode in {"I", "F"}:
        content = tiff_content(image.tag_v2) if isinstance(image, TiffImageFile) else "an image of 32-bit numbers"
        raise ImageError(f"{content}, of which no value is defined as white: save it with 8 or 16 bits without sign")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _high_byte(image: Image.Image) -> Image.Image:
    values = np.array(image)
    grey = (values >> (4 if _has_12_bits(image) else 8)).astype(np.uint8)
    # PNG can name one grey value as transparent; on white it is white.
    if "transparency" in image.info:
        grey[values == image.info["transparency"]] = 255
    return Image.fromarray(grey)


def _has_12_bits(image: Image.Image) -> bool:
    # Pillow does not widen the 12 bits of a TIFF, as it does those of other formats.
    return isinstance(image, TiffImageFile) and image.tag_v2.get(ExifTags.Base.BitsPerSample) == (12,)
