"""Thumbnails of a page, which are in it once however often they show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from lumiscope.memo import Results
from lumiscope.report.picture import data_uri, webp
from lumiscope.types import ByteArray

SIDE = 96  # pixels; shown at 88 and less


class Thumbnails:
    """Square thumbnails by key; each becomes one CSS rule. `rules`: (class name, data address), in order.

    `kept`: where thumbnails of earlier reports are, by the digest of their image; None: nowhere. `side`: in pixels.
    """

    def __init__(self, kept: Results | None = None, side: int = SIDE) -> None:
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
            content = self._thumbnail(load, digest)
            self._classes[key] = "" if content is None else f"t{len(self.rules)}"
            if content is not None:
                self.rules.append((self._classes[key], data_uri(content)))
        return self._classes[key]

    def keep(self) -> None:
        """Keep the thumbnails with a digest for later reports."""
        if self._kept is not None and self._new:
            arrays = {digest: np.frombuffer(content, np.uint8) for digest, content in self._new.items()}
            self._kept.put({digest: {"webp": array} for digest, array in arrays.items()})

    def _thumbnail(self, load: Callable[[], ByteArray | None], digest: str | None) -> bytes | None:
        if self._kept is not None and digest is not None and digest in self._kept:
            return self._kept.get(digest)["webp"].tobytes()
        pixels = load()
        if pixels is None:
            return None
        content = webp(_square(pixels, self._side))
        if digest is not None:
            self._new[digest] = content
        return content


def _square(pixels: ByteArray, size: int) -> ByteArray:
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    return np.asarray(middle.resize((size, size), Image.Resampling.LANCZOS))
