"""TIFFs that Pillow does not read whole: any number of samples a pixel, as GDAL writes them, or pages of odd numbers.

Only single pages are read: what tifffile calls a series may lie in other files. Compressed parts are inflated twice, at
first without keeping them, as a small file may hold any number of bytes.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lumiscope.errors import ImageError
from lumiscope.images._array_bytes import MOST_BYTES, refuse_bytes
from lumiscope.images._pillow_warnings import pillow_warnings_silenced
from lumiscope.images._tiff import begins_like_tiff, tiff_content, tiff_tags

if TYPE_CHECKING:
    from tifffile import TiffPage

BANDS_LAST, BANDS_FIRST, ONE_BAND = "YXS", "SYX", "YX"  # the axes of a page
NONE, DEFLATE, OLD_DEFLATE = 1, 8, 32946  # compressions
UNPREDICTED, DIFFERENCES = 1, 2  # predictors
AT_ONCE = 2**20  # bytes
REMEDY = "save it with Deflate or without compression, or as .npy, (bands, H, W) or (H, W, bands)"


def count_bands(path: Path) -> int:
    """How many bands a TIFF has: samples a pixel, or pages of one. Errors: `ImageError` for what is no TIFF."""
    with _pages(path) as pages:
        return len(pages) * int(pages[0].samplesperpixel)


def shape_of_tiff(path: Path) -> tuple[int, int, int]:
    """(H, W, n) of a TIFF by its header. Errors: `ImageError` without the file's name, for what is not read."""
    with _pages(path) as pages:
        return _shape(path, pages)


def read_tiff(path: Path) -> NDArray[Any]:
    """(H, W, n) numbers of a TIFF as they are stored. Errors: as `shape_of_tiff`, and for damage."""
    with _pages(path) as pages:
        shape = _shape(path, pages)
        for page in pages:
            _refuse_damage(page)
        planes = [page.asarray(maxworkers=1).reshape(page.shape) for page in pages]
    if len(planes) == 1 and pages[0].axes == BANDS_FIRST:
        return np.moveaxis(planes[0], 0, 2)
    return planes[0].reshape(shape) if len(planes) == 1 else np.stack(planes, axis=2)


@contextmanager
def _pages(path: Path) -> Iterator[list[TiffPage]]:
    """The pages of a file, without smaller copies of them and masks, as cloud-optimised GeoTIFFs have."""
    from tifffile import TiffFile, TiffPage  # takes a while, and few pictures need it

    try:
        if not begins_like_tiff(path):  # tifffile reads relatives of the format, too
            raise ImageError("no TIFF")
        # Without the additions of vendors, for which other places of the file would be read.
        with pillow_warnings_silenced(), TiffFile(path, is_lsm=False, is_ndpi=False, is_scanimage=False) as file:
            parsed = [page for page in file.pages if isinstance(page, TiffPage)]
            pages = [page for page in parsed if not (page.is_reduced or page.is_mask)]
            if not pages:
                raise ImageError("truncated or damaged (a TIFF without a page)")
            yield pages
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError("file not found") from None
    except Exception as error:  # whatever its parser runs into in a broken file
        text = " ".join(str(error).split()) or type(error).__name__
        raise ImageError(f"truncated or damaged TIFF ({text})") from error


def _shape(path: Path, pages: list[TiffPage]) -> tuple[int, int, int]:
    first = pages[0]
    _refuse_numbers(path, first)
    several = len(pages) > 1
    if first.axes not in ((ONE_BAND,) if several else (BANDS_LAST, BANDS_FIRST, ONE_BAND)):
        axes = f"{len(pages)} pages of {first.axes}" if several else str(first.axes)
        raise ImageError(
            f"expected bands as samples of one page, or as pages of one band; got {axes}, {first.shape}: {REMEDY}"
        )
    for page in pages[1:]:
        if (page.axes, page.shape, page.dtype) != (first.axes, first.shape, first.dtype):
            raise ImageError(
                "expected pages of one band, one size and one kind of numbers; they are "
                f"{first.shape} {first.dtype}, {page.shape} {page.dtype}, …"
            )
        _refuse_numbers(path, page)
    height, width = int(first.imagelength), int(first.imagewidth)
    shape = height, width, len(pages) * int(first.samplesperpixel)
    _refuse_size(shape, first)
    return shape


def _refuse_numbers(path: Path, page: TiffPage) -> None:
    """Raise ImageError for numbers, or ways to store them, that are not read."""
    if page.dtype is None or page.dtype.kind not in "iuf" or page.bitspersample != 8 * page.dtype.itemsize:
        raise ImageError(f"{tiff_content(tiff_tags(path))}, which is not read: {REMEDY}")
    if page.compression not in (NONE, DEFLATE, OLD_DEFLATE):
        name = getattr(page.compression, "name", f"number {page.compression}")
        raise ImageError(f"a TIFF of bands with compression {name}, which is not read: {REMEDY}")
    if page.predictor not in (UNPREDICTED, DIFFERENCES):
        name = getattr(page.predictor, "name", "unknown")
        raise ImageError(
            f"a TIFF of bands with predictor {int(page.predictor)} ({name}), which is not read: save it with "
            "predictor 2 or none, or as .npy, (bands, H, W) or (H, W, bands)"
        )
    if page.compression != NONE and page.fillorder != 1:
        raise ImageError(f"a compressed TIFF of bands with its bits from right to left, which is not read: {REMEDY}")


def _refuse_size(shape: tuple[int, int, int], page: TiffPage) -> None:
    height, width, bands = shape
    if min(shape) < 1:
        raise ImageError(f"an image of {width}×{height} pixels and {bands} bands")
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and width * height > limit:
        raise ImageError(f"decompression bomb: {width}×{height} pixels, more than {limit}")
    refuse_bytes(shape, _itemsize(page))
    if _part_bytes(page) > MOST_BYTES:
        raise ImageError(f"damaged TIFF: tiles of {page.chunks} for {width}×{height} pixels")


def _refuse_damage(page: TiffPage) -> None:
    """Raise ImageError where parts (strips, tiles) are missing, cut off, or larger than the header says."""
    offsets, sizes, parts = page.dataoffsets, page.databytecounts, math.prod(page.chunked)
    if not len(offsets) == len(sizes) == parts:
        raise ImageError(f"damaged TIFF: {len(offsets)} of {parts} parts")
    file = page.parent.filehandle
    end = max((offset + size for offset, size in zip(offsets, sizes, strict=True)), default=0)
    if end > file.size:
        raise ImageError(f"truncated TIFF: its pixels end at byte {end:,} of {file.size:,}")
    if page.compression == NONE:
        return
    for offset, size in zip(offsets, sizes, strict=True):
        file.seek(offset)
        if _inflates_beyond(file.read(size), _part_bytes(page)):
            raise ImageError("damaged TIFF: a part of it inflates to more than its header says")


def _inflates_beyond(part: bytes, limit: int) -> bool:
    inflater = zlib.decompressobj()
    size = 0
    while part and size <= limit:
        size += len(inflater.decompress(part, AT_ONCE))
        part = inflater.unconsumed_tail
    return size > limit


def _part_bytes(page: TiffPage) -> int:
    return math.prod(page.chunks) * _itemsize(page)


def _itemsize(page: TiffPage) -> int:
    return 0 if page.dtype is None else int(page.dtype.itemsize)
