"""From where an image lies to its pixels: what a run's tables keep of an image is its address."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lumiscope.errors import ImageError
from lumiscope.images.bands import read_bands_of, shown_triple
from lumiscope.images.decode import decode
from lumiscope.images.image_file import file_digest
from lumiscope.images.mask_file import decode_mask
from lumiscope.images.world_image import world_image_at
from lumiscope.types import BoolArray, ByteArray, FloatArray


def read_pixels(address: str, shown_bands: Sequence[int] | None = None) -> ByteArray:
    """(H, W, 3) uint8 pixels of the image at `address`, a path or an image of the world. Raises ImageError.

    `shown_bands`: of a file of bands the three that are shown; None: it is shown as a picture.
    """
    if shown_bands is not None:
        return shown_triple(read_bands(address), shown_bands)
    image = world_image_at(address)
    return decode(Path(address)) if image is None else image.pixels


def read_bands(address: str) -> FloatArray:
    """(H, W, n) float32 bands of the file at `address`; see `read_bands_of`. Raises ImageError."""
    if world_image_at(address) is not None:
        raise ImageError("a picture of the built-in world, not a file of bands (.npy, .npz or TIFF)")
    return read_bands_of(Path(address))


def read_mask(address: str) -> BoolArray:
    """(H, W) bool, the ground-truth mask at `address`. Raises ImageError."""
    image = world_image_at(address)
    return decode_mask(Path(address)) if image is None else image.mask


def read_digest(address: str) -> str:
    """Hex digest of all that the pixels at `address` depend on, as `ImageItem.sha256` has it. Raises ImageError."""
    image = world_image_at(address)
    return file_digest(Path(address)) if image is None else image.sha256
