"""Pictures inside the page: arrays as data addresses, and thumbnails that are there once however often they show."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from lumiscope.types import ByteArray

QUALITY = 80
THUMBNAIL_SIDE = 96  # pixels; shown at 72 and less, sharp on most screens


@dataclass(frozen=True)
class Picture:
    """A picture in the page. `uri`: its data address. `alt`: what it shows, for those who cannot see it."""

    uri: str
    alt: str
    width: int
    height: int

    @classmethod
    def of(cls, pixels: ByteArray, alt: str) -> Picture:
        """Embed `pixels`, (H, W, 3) uint8."""
        height, width = pixels.shape[:2]
        return cls(data_uri(pixels), alt, width, height)


def data_uri(pixels: ByteArray, quality: int = QUALITY) -> str:
    """(H, W, 3) uint8 pixels as a `data:` address of a WebP picture."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "WEBP", quality=quality, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


class Thumbnails:
    """Square thumbnails by key; each becomes one CSS rule. `rules`: (class name, data address), in order."""

    def __init__(self) -> None:
        self.rules: list[tuple[str, str]] = []
        self._classes: dict[str, str] = {}

    def css_class(self, key: str, load: Callable[[], ByteArray | None]) -> str:
        """The class that shows the picture `key`; `load` is asked for its pixels once. "" where there are none."""
        if key not in self._classes:
            pixels = load()
            self._classes[key] = "" if pixels is None else f"t{len(self.rules)}"
            if pixels is not None:
                self.rules.append((self._classes[key], data_uri(_square(pixels))))
        return self._classes[key]


def _square(pixels: ByteArray) -> ByteArray:
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    return np.asarray(middle.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS))
