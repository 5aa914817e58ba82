"""An image that lies in a file."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lumiscope.errors import ImageError
from lumiscope.images._raster import upright_size
from lumiscope.images.decode import decode
from lumiscope.images.mask_file import MaskReading, read_mask_file
from lumiscope.types import BoolArray, ByteArray


@dataclass(frozen=True, eq=False)
class ImageFile:
    """An image file that could be decoded when its set was opened; see `ImageItem`.

    `id`: the file name without folder and ending. `name`: the file as the user knows it, relative to the folder or CSV.
    `columns`: the other columns of the CSV. `mask_path`: file of the ground-truth mask, None if there is none.
    `has_void`: whether it leaves open what some pixels show.
    """

    id: str
    name: str
    path: Path
    label: int | None = None
    class_names: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    mask_path: Path | None = None
    has_void: bool = False

    @property
    def address(self) -> str:
        """The absolute path."""
        return str(self.path.absolute())

    @property
    def mask_address(self) -> str | None:
        """The absolute path of the mask; None if there is none."""
        return str(self.mask_path.absolute()) if self.mask_path else None

    @property
    def class_name(self) -> str | None:
        """The first of `class_names`; None if unknown."""
        return next(iter(self.class_names), None)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the upright image; only its header is read."""
        try:
            return upright_size(self.path)
        except ImageError as error:
            raise ImageError(f"{self.name}: {error}") from error

    @property
    def pixels(self) -> ByteArray:
        """(H, W, 3) uint8 RGB, upright; see `decode`. Raises ImageError if the file has changed for the worse."""
        try:
            return decode(self.path)
        except ImageError as error:
            raise ImageError(f"{self.name}: {error}") from error

    @property
    def has_mask(self) -> bool:
        """Whether there is a ground-truth mask."""
        return self.mask_path is not None

    @property
    def mask(self) -> BoolArray | None:
        """(H, W) bool at the size of the upright image, True on the labelled object; None if there is no mask."""
        return None if self.mask_path is None else self._read_mask(self.mask_path).object

    @property
    def void(self) -> BoolArray | None:
        """(H, W) bool as `mask`, True where the mask leaves open what a pixel shows; None if there is no mask."""
        return None if self.mask_path is None else self._read_mask(self.mask_path).void

    def _read_mask(self, path: Path) -> MaskReading:
        try:
            return read_mask_file(path)
        except ImageError as error:
            raise ImageError(f"mask of {self.name}: {error}") from error

    @functools.cached_property
    def sha256(self) -> str:
        """Hex digest of the bytes of the image file."""
        return file_digest(self.path)

    @functools.cached_property
    def mask_sha256(self) -> str | None:
        """Hex digest of the bytes of the mask file; None if there is no mask."""
        return None if self.mask_path is None else file_digest(self.mask_path)


def file_digest(path: Path) -> str:
    """Hex SHA-256 of the bytes of a file. Raises ImageError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read any more ({error.strerror})") from error
