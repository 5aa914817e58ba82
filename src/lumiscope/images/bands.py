"""Files of more bands than a picture has: arrays of NumPy, and TIFFs as far as Pillow reads them."""

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
from lumiscope.images._formats import open_raster
from lumiscope.images._in_time import Result, in_time
from lumiscope.images._npy_headers import ONE_AT_A_TIME
from lumiscope.images._pillow_warnings import pillow_warnings_silenced
from lumiscope.images._tiff import unread_tiff
from lumiscope.types import ByteArray, FloatArray

ARRAYS = {".npy", ".npz"}
TIFFS = {".tif", ".tiff"}
NUMBERS = {"F", "I"}  # modes without a white, so that one such frame is no picture
NAMED = "bands"
MOST_BYTES = 2**31  # of one array in memory
STRETCH = (2, 98)  # percentiles of a band that are shown black and white
BITS_PER_SAMPLE, SAMPLES_PER_PIXEL = 258, 277  # tags of TIFF 6.0
AS_ARRAY = "save it as .npy, (bands, H, W) or (H, W, bands)"


def holds_bands(path: Path) -> bool:
    """Whether a file is no picture but an array, by its name, or a TIFF of several frames without a defined white."""
    if path.suffix.lower() in ARRAYS:
        return True
    if path.suffix.lower() not in TIFFS:
        return False
    try:
        return _in_time(_is_stack, path)
    except Exception:  # whoever decodes it says what is wrong
        return False


def _is_stack(path: Path) -> bool:
    with pillow_warnings_silenced(), open_raster(path) as image:
        return image.mode in NUMBERS and getattr(image, "is_animated", False)  # counting frames takes long


def read_bands_of(path: Path) -> FloatArray:
    """(H, W, n) float32 bands of a file, in its order: 8-bit numbers divided by 255, all others as they are.

    .npy and .npz: (H, W, n), (n, H, W), the bands on the axis that is shorter than both others, or (H, W); of several
    arrays that called `bands`. TIFF: the channels of its only frame, or one band a frame. Errors: `ImageError` without
    the file's name.
    """
    stored = _in_time(_stored_bands, path)
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
    with _tiffs_refused_in_words(path), open_raster(path) as image:
        _refuse_raster(image)
        frames = getattr(image, "n_frames", 1)
        return image.height, image.width, frames if frames > 1 else len(image.getbands())


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
    size = math.prod(shape) * max(kind.itemsize, 4)
    if size > MOST_BYTES:
        raise ImageError(f"expected at most {MOST_BYTES / 2**30:g} GiB of bands; it would be {size / 2**30:.3g} GiB")


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
    frames: list[NDArray[Any]] = []
    with _tiffs_refused_in_words(path), open_raster(path) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            _refuse_raster(image)
            if sum(frame.nbytes for frame in frames) + 4 * image.width * image.height > MOST_BYTES:
                raise ImageError(f"expected at most {MOST_BYTES / 2**30:g} GiB of bands")
            frames.append(np.array(image))
    if len(frames) == 1:
        return frames[0] if frames[0].ndim == 3 else frames[0][..., None]
    if len({frame.shape for frame in frames}) > 1 or frames[0].ndim != 2:
        raise ImageError(f"expected frames of one band and one size; they are {frames[0].shape}, {frames[1].shape}, …")
    return np.stack(frames, axis=2)


@contextmanager
def _tiffs_refused_in_words(path: Path) -> Iterator[None]:
    try:
        with pillow_warnings_silenced():
            yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        from lumiscope.images.decode import decode

        if (content := unread_tiff(path, AS_ARRAY)) is not None:
            raise ImageError(content) from None
        decode(path)  # says why not
        raise
    except Exception as error:  # as in `decode`: decoders raise whatever they like
        raise ImageError(f"damaged or unsupported image data ({' '.join(str(error).split())})") from error


def _refuse_raster(image: Image.Image) -> None:
    if image.format != "TIFF":
        raise ImageError(f"a picture ({image.format}, {image.mode}), not a file of bands (.npy, .npz or TIFF)")
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        raise ImageError(f"decompression bomb: {image.width}×{image.height} pixels, more than {limit}")
    tags: Any = image.tag_v2  # type: ignore[attr-defined]
    samples, bits = int(tags.get(SAMPLES_PER_PIXEL, 1)), tags.get(BITS_PER_SAMPLE, (8,))
    if image.mode != "P" and samples != len(image.getbands()):
        raise ImageError(f"Pillow reads {len(image.getbands())} of its {samples} bands: {AS_ARRAY}")
    if samples > 1 and max(bits) > 8:
        raise ImageError(f"Pillow reads 8 of the {max(bits)} bits of its {samples} bands: {AS_ARRAY}")
