"""Pictures inside the page: arrays as data addresses."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from lumiscope.types import ByteArray

QUALITY = 80


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
        return cls(data_uri(webp(pixels)), alt, width, height)


def webp(pixels: ByteArray, quality: int = QUALITY) -> bytes:
    """(H, W, 3) uint8 pixels as a WebP file."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def data_uri(content: bytes) -> str:
    """A WebP file as a `data:` address."""
    return "data:image/webp;base64," + base64.b64encode(content).decode("ascii")
