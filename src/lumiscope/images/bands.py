"""Files of more bands than a picture has: arrays of NumPy, and TIFFs, by Pillow where it reads them whole."""

from __future__ import annotations

import functools
import math
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from lumiscope.errors import ImageError
from lumiscope.images._array_bytes import refuse_bytes
from lumiscope.images._formats import open_raster
from lumiscope.images._in_time import Result, in_time
from lumiscope.images._npy_headers import ONE_AT_A_TIME
from lumiscope.images._pillow_warnings import pillow_warnings_silenced
from lumiscope.images._tiff import begins_like_tiff
from lumiscope.images._tiff_bands import count_bands, read_tiff, shape_of_tiff
from lumiscope.types import ByteArray, FloatArray

ARRAYS = {".npy", ".npz"}
TIFFS = {".tif", ".tiff"}
NUMBERS = {"F", "I"}  # modes without a white, so that one such frame is no picture
NAMED = "bands"
COLOURS, MOST_OF_A_PICTURE = 3, 4  # samples a pixel, more only where the first are said to be colours
STRETCH = (2, 98)  # percentiles of a band that are shown black and white
BIG_ENDIAN, UNCOMPRESSED = b"MM", "raw"  # as Pillow calls them
BITS_PER_SAMPLE, SAMPLES_PER_PIXEL = 258, 277  # tags of TIFF 6.0
AS_ARRAY = "save it as .npy, (bands, H, W) or (H, W, bands)"


def holds_bands(path: Path) -> bool:
    """Whether a file is no picture but an array, by its name, or a TIFF of bands.

    That is one of several frames without a defined white, or of more than four bands of which Pillow makes no colours.
    """
    if path.suffix.lower() in ARRAYS:
        return True
    if path.suffix.lower() not in TIFFS:
        return False
    try:
        return _in_time(_is_tiff_of_bands, path)
    except Exception:  # whoever decodes it says what is wrong
        return False


def _is_tiff_of_bands(path: Path) -> bool:
    try:
        with pillow_warnings_silenced(), open_raster(path) as image:
            samples = int(getattr(image, "tag_v2", {}).get(SAMPLES_PER_PIXEL, 1))
            if samples > MOST_OF_A_PICTURE and len(image.getbands()) < COLOURS:
                return True
            return image.mode in NUMBERS and getattr(image, "is_animated", False)  # counting frames takes long
    except UnidentifiedImageError:
        return count_bands(path) > MOST_OF_A_PICTURE


def read_bands_of(path: Path) -> FloatArray:
    """(H, W, n) float32 bands of a file, in its order: 8-bit numbers divided by 255, all others as they are.

    .npy and .npz: (H, W, n), (n, H, W), the bands on the axis that is shorter than both others, or (H, W); of several
    arrays that called `bands`. TIFF: the samples of its only page, or one band a page. Errors: `ImageError` without
    the file's name.
    """
    stored = _in_time(_stored_bands, path)
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large becomes infinite
        numbers = stored.astype(np.float32) / np.float32(255 if stored.dtype == np.uint8 else 1)
    odd = int((~np.isfinite(numbers)).sum())
    if odd:
        raise ImageError(f"expected finite numbers; {odd} of {numbers.size} are NaN or infinite: fill them first")
    return numbers


def _stored_bands(path: Path) -> NDArray[Any]:
    return _bands_last(_array(path)) if path.suffix.lower() in ARRAYS else _tiff(path)


def _in_time(read: Callable[[Path], Result], path: Path) -> Result:
    remedy = "copy it to a faster disk" if path.suffix.lower() == ".npy" else AS_ARRAY
    return in_time(functools.partial(read, path), remedy)


def shape_of_bands(path: Path) -> tuple[int, int, int]:
    """(H, W, n) of a file of bands, from its header. Errors: as `read_bands_of`, as far as the header tells."""
    return _in_time(_shape, path)


def _shape(path: Path) -> tuple[int, int, int]:
    if path.suffix.lower() in ARRAYS:
        return _bands_last(np.broadcast_to(np.uint8(0), _shape_of_array(path))).shape
    return _shape_by_pillow(path) or shape_of_tiff(path)


def bands_in(path: Path, *, of_pictures: bool = False) -> int:
    """How many bands a file has, from its header; 0 for a picture. Errors: as `shape_of_bands`.

    `of_pictures`: whether the channels of a TIFF count as bands, as for a network that takes bands.
    """
    counts = holds_bands(path) or (of_pictures and path.suffix.lower() in TIFFS)
    return shape_of_bands(path)[2] if counts else 0


def is_array_of_bands(path: Path) -> bool:
    """Whether a .npy or .npz holds bands, by its header: three axes of numbers."""
    try:
        return _in_time(_is_array_of_bands, path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, RuntimeError, ImageError):
        return False


def _is_array_of_bands(path: Path) -> bool:
    with path.open("rb") as file:
        if path.suffix.lower() == ".npy":
            return _is_cube(*_header(file))
    with zipfile.ZipFile(path) as archive:
        return _entry(archive) is not None


def shown_triple(bands: FloatArray, shown: Sequence[int] | None = None) -> ByteArray:
    """(H, W, 3) uint8 of (H, W, n) bands: three of them, each stretched from its 2nd to its 98th percentile.

    `shown`: their numbers, from 0; None: the first three, or the first alone where there are fewer. Errors:
    `ImageError` for a band that is not there.
    """
    chosen = tuple(shown) if shown is not None else (0, 1, 2) if bands.shape[2] >= 3 else (0, 0, 0)
    triple = choose_bands(bands, chosen).astype(np.float64)
    low, high = np.percentile(triple, STRETCH, axis=(0, 1))
    share = (triple - low) / np.where(high > low, high - low, 1)
    return np.asarray(np.rint(np.clip(share, 0, 1) * 255), np.uint8)


def choose_bands(bands: FloatArray, numbers: Sequence[int]) -> FloatArray:
    """(H, W, k): the bands of these numbers, from 0, in their order. Errors: `ImageError` for one that is not there."""
    missing = [number for number in numbers if not 0 <= number < bands.shape[2]]
    if missing:
        raise ImageError(
            f"expected bands from 0 to {bands.shape[2] - 1}, as it has {bands.shape[2]}; asked for {missing[0]}"
        )
    return bands[..., list(numbers)]


def _array(path: Path) -> NDArray[Any]:
    with _arrays_refused_in_words():
        _shape_of_array(path)
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        with zipfile.ZipFile(path) as archive, archive.open(_entry_of_bands(archive)) as file:
            return np.asarray(npy.read_array(file, allow_pickle=False))


def _shape_of_array(path: Path) -> tuple[int, ...]:
    """What the header says. Errors: `ImageError` for what are no bands, or too many, or cut off."""
    with _arrays_refused_in_words():
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                shape, kind = _header(file)
                left = path.stat().st_size - file.tell()
            _refuse_header(shape, kind)
            if left < math.prod(shape) * kind.itemsize:
                raise ImageError(f"damaged, or no array of NumPy: {left} bytes for {shape} {kind}")
            return shape
        with zipfile.ZipFile(path) as archive, archive.open(_entry_of_bands(archive)) as file:
            shape, kind = _header(file)
        _refuse_header(shape, kind)
        return shape


@contextmanager
def _arrays_refused_in_words() -> Iterator[None]:
    try:
        with ONE_AT_A_TIME:
            yield
    except FileNotFoundError:
        raise ImageError("file not found") from None
    except (OSError, ValueError, EOFError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ImageError(f"damaged, or no array of NumPy: {' '.join(str(error).split())}") from error


def _entry_of_bands(archive: zipfile.ZipFile) -> str:
    entry = _entry(archive)
    if entry is None:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        raise ImageError(f"expected one array of bands, or one called {NAMED!r}; got {', '.join(names[:5])}")
    return entry


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, kind = read(file)
    return shape, kind


def _entry(archive: zipfile.ZipFile) -> str | None:
    """The entry of an .npz that holds the bands; None where none or several may."""
    cubes = []
    for name in archive.namelist():
        with archive.open(name) as file:
            if _is_cube(*_header(file)):
                cubes.append(name)
    named = [name for name in cubes if name.removesuffix(".npy") == NAMED]
    return named[0] if named else cubes[0] if len(cubes) == 1 else None


def _is_cube(shape: tuple[int, ...], kind: np.dtype[Any]) -> bool:
    return len(shape) == 3 and kind.kind in "iufb"


def _refuse_header(shape: tuple[int, ...], kind: np.dtype[Any]) -> None:
    if len(shape) not in (2, 3) or kind.kind not in "iufb" or 0 in shape:
        raise ImageError(f"expected numbers, (H, W, bands) or (bands, H, W); got {kind} of shape {shape}")
    refuse_bytes(shape, kind.itemsize)


def _bands_last(array: NDArray[Any]) -> NDArray[Any]:
    """(H, W, n) of (H, W), (H, W, n) or (n, H, W)."""
    if array.ndim == 2:
        return array[..., None]
    first, middle, last = array.shape
    if last < min(first, middle):
        return array
    if first < min(middle, last):
        return np.moveaxis(array, 0, 2)
    raise ImageError(
        f"expected (H, W, bands) or (bands, H, W) with fewer bands than pixels a side; {array.shape} may be either"
    )


def _tiff(path: Path) -> NDArray[Any]:
    shape = _shape_by_pillow(path)
    if shape is None:
        return read_tiff(path)
    refuse_bytes(shape, 1)
    try:
        with pillow_warnings_silenced(), open_raster(path) as image:
            frames = [_pixels(image, number) for number in range(getattr(image, "n_frames", 1))]
    except Exception as error:  # as in `decode`: decoders raise whatever they like
        raise ImageError(f"damaged or unsupported image data ({' '.join(str(error).split())})") from error
    return frames[0].reshape(shape) if len(frames) == 1 else np.stack(frames, axis=2)


def _pixels(image: Image.Image, frame: int) -> NDArray[Any]:
    image.seek(frame)
    return np.array(image)


def _shape_by_pillow(path: Path) -> tuple[int, int, int] | None:
    """(H, W, n) of a TIFF that Pillow reads whole: its only frame, or frames of one band and one size; else None.

    Errors: `ImageError` for a file of another format.
    """
    try:
        with pillow_warnings_silenced(), open_raster(path) as image:
            if image.format != "TIFF":
                raise ImageError(f"a picture ({image.format}, {image.mode}), not a file of bands (.npy, .npz or TIFF)")
            frames = [_whole_frame(image, number) for number in range(getattr(image, "n_frames", 1))]
    except ImageError:
        raise
    except Exception as error:  # decoders raise whatever they like
        if isinstance(error, UnidentifiedImageError) and not begins_like_tiff(path):
            _refuse_what_is_no_tiff(path)
        return None
    first = frames[0]
    if first is None or len(frames) == 1:
        return first
    return (*first[:2], len(frames)) if first[2] == 1 and set(frames) == {first} else None


def _whole_frame(image: Image.Image, number: int) -> tuple[int, int, int] | None:
    """(H, W, channels) of a frame by its header; None where Pillow would read a part of its bands or bits."""
    image.seek(number)
    tags: Any = image.tag_v2  # type: ignore[attr-defined]
    channels, samples = len(image.getbands()), int(tags.get(SAMPLES_PER_PIXEL, 1))
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        return None
    if (image.mode != "P" and samples != channels) or (samples > 1 and max(tags.get(BITS_PER_SAMPLE, (8,))) > 8):
        return None
    # Pillow turns the bytes that libtiff has turned already, but for 16 bits without sign.
    if image.mode in NUMBERS and tags.prefix == BIG_ENDIAN and image.info["compression"] != UNCOMPRESSED:
        return None
    return image.height, image.width, channels


def _refuse_what_is_no_tiff(path: Path) -> None:
    from lumiscope.images.decode import decode

    decode(path)  # says what it is
