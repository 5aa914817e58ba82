"""Which renderer this is."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numpy
import PIL


@functools.cache
def renderer_version() -> str:
    """A hash of the renderer's source and of Pillow's and numpy's versions: pictures of two versions may differ."""
    folder = Path(__file__).parent
    digest = hashlib.sha256(f"Pillow {PIL.__version__}, numpy {numpy.__version__}".encode())
    for source in sorted(folder.rglob("*.py")):
        digest.update(source.relative_to(folder).as_posix().encode() + source.read_bytes())
    return digest.hexdigest()[:16]
