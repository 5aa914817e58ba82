"""From where an image lies to its pixels: what a run's tables keep of an image is its address."""

from __future__ import annotations

from pathlib import Path

from lumiscope.images.decode import decode
from lumiscope.images.image_file import file_digest
from lumiscope.images.mask_file import decode_mask
from lumiscope.images.world_image import world_image_at
from lumiscope.types import BoolArray, ByteArray


def read_pixels(address: str) -> ByteArray:
    """(H, W, 3) uint8 pixels of the image at `address`, a path or an image of the world. Raises ImageError."""
    image = world_image_at(address)
    return decode(Path(address)) if image is None else image.pixels


def read_mask(address: str) -> BoolArray:
    """(H, W) bool, the ground-truth mask at `address`. Raises ImageError."""
    image = world_image_at(address)
    return decode_mask(Path(address)) if image is None else image.mask


def read_digest(address: str) -> str:
    """Hex digest of all that the pixels at `address` depend on, as `ImageItem.sha256` has it. Raises ImageError."""
    image = world_image_at(address)
    return file_digest(Path(address)) if image is None else image.sha256
