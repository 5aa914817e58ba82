"""Image files to arrays: 8-bit RGB, upright, opaque. Every way in which a file can be bad becomes an ImageError."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from lumiscope.errors import ImageError
from lumiscope.images.pillow_warnings import pillow_warnings_silenced
from lumiscope.types import BoolArray, ByteArray

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


def decode(path: Path) -> ByteArray:
    """Return the pixels of `path`: (H, W, 3) uint8 RGB, turned as its EXIF orientation says.

    Transparent pixels are composited on white; 16-bit channels keep their high byte; CMYK is converted as Pillow does
    it, without a colour profile; of an animation the first frame is taken.

    Raises ImageError with a short reason that does not name the file: the caller knows the name its user gave.
    """
    with _upright(path) as image:
        return np.array(_to_rgb(image))


def decode_mask(path: Path) -> BoolArray:
    """Return the mask in `path`: (H, W) bool, turned as its EXIF orientation says.

    True where a grey value, a palette index or any colour channel is above 0; alpha is ignored.

    Raises ImageError as `decode` does.
    """
    with _upright(path) as image:
        if image.mode in {"LA", "La", "PA"}:
            return np.array(image)[..., 0] > 0
        if len(image.getbands()) == 1:
            return np.array(image) > 0
        colour = image if image.mode in {"RGB", "RGBA", "RGBX", "RGBa"} else image.convert("RGB")
        return (np.array(colour)[..., :3] > 0).any(axis=-1)


def is_image(path: Path) -> bool:
    """Tell whether Pillow takes `path` for an image by its first bytes; its pixels may still be broken."""
    try:
        with pillow_warnings_silenced(), Image.open(path):
            return True
    except OSError:
        return False
    except Exception:
        # Anything else comes from a decoder that had already recognised the format.
        return True


@contextmanager
def _upright(path: Path) -> Iterator[Image.Image]:
    _refuse_what_is_no_file(path)
    # Pillow imports its decoders when one is first needed, and misses some if two threads do so at once.
    Image.init()
    try:
        with pillow_warnings_silenced(), Image.open(path) as image:
            _refuse_size(image)
            image.load()
            # Icons and multi-frame files learn their real size only now.
            _refuse_size(image)
            yield _turned(image)
    except ImageError:
        raise
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


def _bomb_reason(size: str) -> str:
    limit = Image.MAX_IMAGE_PIXELS
    return f"decompression bomb: {size} pixels, more than the limit of Pillow's Image.MAX_IMAGE_PIXELS ({limit})"


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, Image.DecompressionBombError):
        count = re.search(r"\d+", text)
        return _bomb_reason(count.group() if count else "too many")
    if isinstance(error, UnidentifiedImageError):
        return "not an image (no format that Pillow knows begins like this file)"
    if isinstance(error, PermissionError):
        return "permission denied: the file cannot be read"
    if isinstance(error, MemoryError):
        return "not enough memory to decode it"
    if isinstance(error, (EOFError, IndexError, struct.error)) or "truncated" in text.lower():
        return f"truncated or damaged ({text})"
    return f"damaged or unsupported image data ({text})"


def _turned(image: Image.Image) -> Image.Image:
    # Read after loading: Pillow's TIFF reader turns the pixels itself and then forgets the tag.
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        method = UPRIGHT_BY_ORIENTATION.get(orientation)
    except Exception:
        # Broken EXIF is no reason to lose good pixels.
        method = None
    return image if method is None else image.transpose(method)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format_is_16_bit):
        return _high_byte(image).convert("RGB")
    if image.mode in {"I", "F"}:
        raise ImageError("32-bit pixels (Pillow mode {image.mode}) have no defined white; save it with 8 or 16 bits")
    if image.has_transparency_data:
        opaque = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), opaque).convert("RGB")
    return image.convert("RGB")
