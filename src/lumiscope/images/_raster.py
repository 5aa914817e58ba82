"""Picture files as Pillow gives them, loaded and upright; however a file can be bad, it becomes an ImageError."""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from lumiscope.errors import ImageError
from lumiscope.images._formats import FORMATS, has_ending_of_format_read, open_raster, refused_format
from lumiscope.images._in_time import in_time
from lumiscope.images._pillow_warnings import pillow_warnings_silenced
from lumiscope.images._tiff import BEGINNINGS as TIFF_BEGINNINGS
from lumiscope.images._tiff import unread_tiff
from lumiscope.images.bands import ARRAYS, holds_bands, is_array_of_bands, shape_of_bands

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

# Some decoders take the whole file into memory. Pixels are bounded by Pillow's Image.MAX_IMAGE_PIXELS.
LARGEST_FILE = 2**31

# JPEG, PNG, GIF, TIFF: a file that begins so was meant to be an image, even where Pillow recognises nothing.
AS_PICTURE = "convert it to PNG"
TIFF_AS_PICTURE = "save it as grey, RGB or RGBA of 8 or 16 bits without sign, as PNG, or for a network of bands as .npy"
BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", *TIFF_BEGINNINGS)


def upright_size(path: Path) -> tuple[int, int]:
    """Return (height, width) of the upright image in `path` from its header. Raises ImageError as `decode` does."""
    refuse_what_is_no_file(path)
    if holds_bands(path):
        height, width, _ = shape_of_bands(path)
        return height, width
    with _refused_in_words(path):
        (width, height), turn = in_time(functools.partial(_header, path), AS_PICTURE)
    return (width, height) if turn >= 5 else (height, width)


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
        in_time(functools.partial(_header, path), AS_PICTURE)
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
def loaded(path: Path) -> Iterator[Image.Image]:
    refuse_what_is_no_file(path)
    load = functools.partial(_load, path)
    with _refused_in_words(path), pillow_warnings_silenced(), in_time(load, AS_PICTURE) as image:
        yield image


@contextmanager
def _refused_in_words(path: Path) -> Iterator[None]:
    """Whatever a decoder raises becomes an ImageError."""
    try:
        yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(_unidentified_reason(path)) from None
    except Exception as error:
        # Pillow has some fifty decoders, and on broken data they raise whatever their parsing ran into.
        raise ImageError(reason_of(error)) from error


def _load(path: Path) -> Image.Image:
    with pillow_warnings_silenced():
        image = open_raster(path)
        try:
            _refuse_size(image)
            image.load()
            # Icons and multi-frame files learn their real size only now.
            _refuse_size(image)
        except BaseException:
            image.close()
            raise
        return image


def _header(path: Path) -> tuple[tuple[int, int], int]:
    """(width, height) as stored, and the EXIF orientation."""
    with pillow_warnings_silenced(), open_raster(path) as image:
        return image.size, orientation(image)


def refuse_what_is_no_file(path: Path) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise ImageError("file not found") from None
    except (OSError, ValueError) as error:
        raise ImageError(reason_of(error)) from error
    if path.is_dir():
        raise ImageError("a folder, not a file")
    if not path.is_file():
        raise ImageError("a device or pipe, not a file")
    if size == 0:
        raise ImageError("empty file (0 bytes)")
    if size > LARGEST_FILE:
        raise ImageError(
            f"a file of {size / 2**30:.1f} GiB, of which at most {LARGEST_FILE >> 30} are read: make it smaller"
        )


def _refuse_size(image: Image.Image) -> None:
    refuse_pixels(*image.size)


def refuse_pixels(width: int, height: int) -> None:
    """Raise ImageError for an image without pixels, or with more than Pillow's limit."""
    if width < 1 or height < 1:
        raise ImageError(f"an image of {width}×{height} pixels")
    # Pillow only warns between once and twice its limit; half a bomb is a bomb.
    if Image.MAX_IMAGE_PIXELS is not None and width * height > Image.MAX_IMAGE_PIXELS:
        raise ImageError(_bomb_reason(f"{width}×{height}"))


def _unidentified_reason(path: Path) -> str:
    if (content := unread_tiff(path, TIFF_AS_PICTURE)) is not None:
        return content
    if _begins_like_an_image(path):
        return "truncated or damaged (it begins like an image, but its header cannot be read)"
    refused = refused_format(path)
    if refused is not None:
        return f"it begins like {refused}, a format that is not read: {AS_PICTURE} (read are {', '.join(FORMATS)})"
    return f"not an image (none of the formats that are read begins like this file: {', '.join(FORMATS)})"


def _bomb_reason(size: str) -> str:
    limit = Image.MAX_IMAGE_PIXELS
    return f"decompression bomb: {size} pixels, more than the limit of Pillow's Image.MAX_IMAGE_PIXELS ({limit})"


def reason_of(error: Exception) -> str:
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


def turned(image: Image.Image, orientation: int) -> Image.Image:
    method = UPRIGHT_BY_ORIENTATION.get(orientation)
    return image if method is None else image.transpose(method)


def orientation(loaded: Image.Image) -> int:
    # Only right after loading: Pillow's TIFF reader turns the pixels itself, and then forgets the tag.
    try:
        return int(loaded.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        # Broken EXIF is no reason to lose good pixels.
        return 1
