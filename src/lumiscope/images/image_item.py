"""One image of an image set, with what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from lumiscope.types import BoolArray, ByteArray


class ImageItem(Protocol):
    """An image, wherever it comes from: a file (`ImageFile`) or the built-in world (`WorldImage`).

    Pixels and masks are made each time they are asked for, so that a set of any length needs little memory.
    """

    @property
    def id(self) -> str:
        """Unique in its set."""
        ...

    @property
    def name(self) -> str:
        """What the user knows it by."""
        ...

    @property
    def path(self) -> Path:
        """Its file; for an image without one, the name that it would have."""
        ...

    @property
    def address(self) -> str:
        """Where `read_pixels` finds the pixels again."""
        ...

    @property
    def mask_address(self) -> str | None:
        """Where `read_mask` finds the ground-truth mask again; None if there is none."""
        ...

    @property
    def label(self) -> int | None:
        """Class index; None if unknown."""
        ...

    @property
    def class_names(self) -> tuple[str, ...]:
        """What it shows; several where it is labelled for several tasks, the first is what the mask covers."""
        ...

    @property
    def class_name(self) -> str | None:
        """The first of `class_names`; None if unknown."""
        ...

    @property
    def columns(self) -> Mapping[str, str]:
        """What else is known of it, by column."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels, upright. Raises ImageError if the image has changed for the worse."""
        ...

    @property
    def pixels(self) -> ByteArray:
        """(H, W, 3) uint8 RGB, upright. Raises ImageError if the image has changed for the worse."""
        ...

    @property
    def has_mask(self) -> bool:
        """Whether there is a ground-truth mask."""
        ...

    @property
    def mask(self) -> BoolArray | None:
        """(H, W) bool at the size of the upright image, True on the labelled object; None if there is no mask."""
        ...

    @property
    def has_void(self) -> bool:
        """Whether the mask leaves open what some pixels show."""
        ...

    @property
    def void(self) -> BoolArray | None:
        """(H, W) bool as `mask`, True where the mask leaves open what a pixel shows; None if there is no mask."""
        ...

    @property
    def sha256(self) -> str:
        """Hex digest of everything that the pixels depend on."""
        ...

    @property
    def mask_sha256(self) -> str | None:
        """Hex digest of everything that the mask depends on; None if there is no mask."""
        ...
