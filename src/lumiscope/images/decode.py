"""Image files to arrays: 8-bit RGB, upright, opaque. Every way in which a file can be bad becomes an ImageError."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from lumiscope.errors import ImageError
from lumiscope.images._formats import FORMATS, has_ending_of_format_read, open_raster, refused_format
from lumiscope.images._pillow_warnings import pillow_warnings_silenced
from lumiscope.images.bands import ARRAYS, holds_bands, is_array_of_bands, read_bands_of, shown_triple
from lumiscope.types import BoolArray, ByteArray, IntArray

# EXIF 2.32, tag 274: how the stored pixels must be turned to stand upright; 1 is upright.
UPRIGHT_BY_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# These formats store at most 16 bits, which Pillow widens to its 32-bit mode "I" with white at 65535.
FORMATS_WITH_16_BITS_IN_MODE_I = {"PNG", "PPM"}

# JPEG, PNG, GIF, TIFF: a file that begins so was meant to be an image, even where Pillow recognises nothing.
BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\x00", b"MM\x00*")


def decode(path: Path) -> ByteArray:
    """Return the pixels of `path`: (H, W, 3) uint8 RGB, turned as its EXIF orientation says.

    Transparent pixels are composited on white; 16-bit channels keep their high byte; CMYK is converted as Pillow does
    it, without a colour profile; of an animation the first frame is taken. Of a file of bands the first three are
    shown.

    Raises ImageError with a short reason that does not name the file: the caller knows the name its user gave.
    """
    if holds_bands(path):
        _refuse_what_is_no_file(path)
        return shown_triple(read_bands_of(path))
    with _loaded(path) as image:
        return np.array(_turned(_to_rgb(image), _orientation(image)))


def decode_mask(path: Path) -> BoolArray:
    """Return the mask in `path`: (H, W) bool, turned as its EXIF orientation says.

    True where a grey value, a palette index or any colour channel is above 0; alpha is ignored.

    Raises ImageError as `decode` does.
    """
    with _loaded(path) as stored:
        image = _turned(stored, _orientation(stored))
        if image.mode in {"LA", "La", "PA"}:
            return np.array(image)[..., 0] > 0
        if len(image.getbands()) == 1:
            return np.array(image) > 0
        colour = image if image.mode in {"RGB", "RGBA", "RGBX", "RGBa"} else image.convert("RGB")
        strongest: ByteArray = np.array(colour)[..., :3].max(axis=-1)
        return strongest > 0


def decode_labels(path: Path) -> IntArray:
    """Return the labels in `path`: (H, W) int64, turned as its EXIF orientation says.

    The grey value or palette index of each pixel, or a number for each colour (alpha is ignored); of a file that ends
    in .npy its whole numbers.

    Raises ImageError as `decode` does.
    """
    if path.suffix == ".npy":
        _refuse_what_is_no_file(path)
        try:
            stored = np.load(path, allow_pickle=False)
        except (ValueError, OSError) as error:
            raise ImageError(_reason(error)) from error
        if stored.ndim != 2 or stored.dtype.kind not in "iub":
            raise ImageError(f"expected whole numbers (H, W); got {stored.dtype} of shape {stored.shape}")
        return np.asarray(stored, np.int64)
    with _loaded(path) as image:
        pixels = np.array(_turned(image, _orientation(image)))
    if pixels.ndim == 3 and pixels.shape[2] < 3:
        pixels = pixels[..., 0]
    if pixels.ndim == 3:
        pixels = pixels[..., :3].astype(np.int64) @ np.array([65536, 256, 1])
    return np.asarray(pixels, np.int64)


def upright_size(path: Path) -> tuple[int, int]:
    """Return (height, width) of the upright image in `path` from its header. Raises ImageError as `decode` does."""
    _refuse_what_is_no_file(path)
    if holds_bands(path):
        height, width = read_bands_of(path).shape[:2]
        return height, width
    try:
        with pillow_warnings_silenced(), open_raster(path) as image:
            width, height = image.size
            lies_on_its_side = _orientation(image) >= 5
    except UnidentifiedImageError:
        raise ImageError(_unidentified_reason(path)) from None
    except Exception as error:
        raise ImageError(_reason(error)) from error
    return (width, height) if lies_on_its_side else (height, width)


def is_image(path: Path) -> bool:
    """Tell whether `path` was meant as a picture; its pixels may still be broken.

    True where it begins like a format that is read, and where only its name does so: EPS in x.jpg is a picture that is
    refused by name, and x.eps a file that happens to lie here.
    """
    if not path.is_file():
        return False
    if path.suffix.lower() in ARRAYS:
        return is_array_of_bands(path)
    try:
        with pillow_warnings_silenced(), open_raster(path):
            return True
    except UnidentifiedImageError:
        return _begins_like_an_image(path) or (has_ending_of_format_read(path) and refused_format(path) is not None)
    except Exception:
        # A decoder that recognised the format and then failed.
        return True


def _begins_like_an_image(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8).startswith(BEGINNINGS)


@contextmanager
def _loaded(path: Path) -> Iterator[Image.Image]:
    _refuse_what_is_no_file(path)
    try:
        with pillow_warnings_silenced(), open_raster(path) as image:
            _refuse_size(image)
            image.load()
            # Icons and multi-frame files learn their real size only now.
            _refuse_size(image)
            yield image
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(_unidentified_reason(path)) from None
    except Exception as error:
        # Pillow has some fifty decoders, and on broken data they raise whatever their parsing ran into.
        raise ImageError(_reason(error)) from error


def _refuse_what_is_no_file(path: Path) -> None:
    try:
        empty = path.stat().st_size == 0
    except FileNotFoundError:
        raise ImageError("file not found") from None
    except (OSError, ValueError) as error:
        raise ImageError(_reason(error)) from error
    if path.is_dir():
        raise ImageError("a folder, not a file")
    if not path.is_file():
        raise ImageError("a device or pipe, not a file")
    if empty:
        raise ImageError("empty file (0 bytes)")


def _refuse_size(image: Image.Image) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise ImageError(f"an image of {width}×{height} pixels")
    # Pillow only warns between once and twice its limit; half a bomb is a bomb.
    if Image.MAX_IMAGE_PIXELS is not None and width * height > Image.MAX_IMAGE_PIXELS:
        raise ImageError(_bomb_reason(f"{width}×{height}"))


def _unidentified_reason(path: Path) -> str:
    if _begins_like_an_image(path):
        return "truncated or damaged (it begins like an image, but its header cannot be read)"
    refused = refused_format(path)
    if refused is not None:
        return f"it begins like {refused}, a format that is not read: convert it to PNG (read are {', '.join(FORMATS)})"
    return f"not an image (none of the formats that are read begins like this file: {', '.join(FORMATS)})"


def _bomb_reason(size: str) -> str:
    limit = Image.MAX_IMAGE_PIXELS
    return f"decompression bomb: {size} pixels, more than the limit of Pillow's Image.MAX_IMAGE_PIXELS ({limit})"


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, Image.DecompressionBombError):
        count = re.search(r"\d+", text)
        return _bomb_reason(count.group() if count else "too many")
    if isinstance(error, PermissionError):
        return "permission denied: the file cannot be read"
    if isinstance(error, MemoryError):
        return "not enough memory to decode it"
    if isinstance(error, (EOFError, IndexError, struct.error)) or "truncated" in text.lower():
        return f"truncated or damaged ({text})"
    return f"damaged or unsupported image data ({text})"


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    method = UPRIGHT_BY_ORIENTATION.get(orientation)
    return image if method is None else image.transpose(method)


def _orientation(loaded: Image.Image) -> int:
    # Only right after loading: Pillow's TIFF reader turns the pixels itself, and then forgets the tag.
    try:
        return int(loaded.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        # Broken EXIF is no reason to lose good pixels.
        return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in FORMATS_WITH_16_BITS_IN_MODE_I):
        return _high_byte(image).convert("RGB")
    if image.mode in {"I", "F"}:
        raise ImageError(f"32-bit pixels (Pillow's mode {image.mode}) have no defined white: save it with 8 or 16 bits")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _high_byte(image: Image.Image) -> Image.Image:
    values = np.array(image)
    # Pillow does not widen the 12 bits of a TIFF, as it does those of other formats.
    twelve_bits = isinstance(image, TiffImageFile) and image.tag_v2.get(ExifTags.Base.BitsPerSample) == (12,)
    grey = (values >> (4 if twelve_bits else 8)).astype(np.uint8)
    # PNG can name one grey value as transparent; on white it is white.
    if "transparency" in image.info:
        grey[values == image.info["transparency"]] = 255
    return Image.fromarray(grey)
