"""Pictures inside the page: arrays as data addresses, and thumbnails that are there once however often they show."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import PIL
from PIL import Image

from lumiscope.store import Collection
from lumiscope.types import ByteArray

QUALITY = 80
THUMBNAIL_SIDE = 96  # pixels; shown at 88 and less
THUMBNAIL_SCOPE = {"side": THUMBNAIL_SIDE, "quality": QUALITY, "pillow": PIL.__version__, "version": 1}


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
    return _address(_webp(pixels, quality))


def _webp(pixels: ByteArray, quality: int = QUALITY) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def _address(webp: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(webp).decode("ascii")


class Thumbnails:
    """Square thumbnails by key; each becomes one CSS rule. `rules`: (class name, data address), in order.

    `kept`: where thumbnails of earlier reports are, by the digest of their image; None: nowhere. `side`: in pixels.
    """

    def __init__(self, kept: Collection | None = None, side: int = THUMBNAIL_SIDE) -> None:
        self._side = side
        self.rules: list[tuple[str, str]] = []
        self._classes: dict[str, str] = {}
        self._kept = kept
        self._new: dict[str, bytes] = {}

    def css_class(self, key: str, load: Callable[[], ByteArray | None], digest: str | None = None) -> str:
        """The class that shows the picture `key`, "" where there is none.

        `load` is asked for its pixels once, and not at all where its `digest` is known from an earlier report.
        """
        if key not in self._classes:
            webp = self._thumbnail(load, digest)
            self._classes[key] = "" if webp is None else f"t{len(self.rules)}"
            if webp is not None:
                self.rules.append((self._classes[key], _address(webp)))
        return self._classes[key]

    def keep(self) -> None:
        """Keep the thumbnails with a digest for later reports."""
        if self._kept is not None and self._new:
            self._kept.put({digest: {"webp": np.frombuffer(webp, np.uint8)} for digest, webp in self._new.items()})

    def _thumbnail(self, load: Callable[[], ByteArray | None], digest: str | None) -> bytes | None:
        if self._kept is not None and digest is not None and digest in self._kept:
            return self._kept.get(digest)["webp"].tobytes()
        pixels = load()
        if pixels is None:
            return None
        webp = _webp(_square(pixels, self._side))
        if digest is not None:
            self._new[digest] = webp
        return webp


def _square(pixels: ByteArray, size: int) -> ByteArray:
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    return np.asarray(middle.resize((size, size), Image.Resampling.LANCZOS))
