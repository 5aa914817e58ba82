"""The renderer: pictures of the world with per-pixel truth, each made from its seed and index alone."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numpy
import PIL

from lumiscope.world.renderer.canvas import SIZE
from lumiscope.world.renderer.captions import caption
from lumiscope.world.renderer.facts import Facts, describe
from lumiscope.world.renderer.mark import MARK_BOX
from lumiscope.world.renderer.render import render
from lumiscope.world.renderer.scene import Scene
from lumiscope.world.renderer.textures import PLAIN
from lumiscope.world.renderer.vocabulary import COLOURS, OBJECTS, PARTS, SCENES, TEXTURES, WORDS


@functools.cache
def renderer_version() -> str:
    """A hash of the renderer's source and of Pillow's and numpy's versions: pictures of two versions may differ."""
    folder = Path(__file__).parent
    digest = hashlib.sha256(f"Pillow {PIL.__version__}, numpy {numpy.__version__}".encode())
    for source in sorted(folder.rglob("*.py")):
        digest.update(source.relative_to(folder).as_posix().encode() + source.read_bytes())
    return digest.hexdigest()[:16]


__all__ = [
    "COLOURS",
    "MARK_BOX",
    "OBJECTS",
    "PARTS",
    "PLAIN",
    "SCENES",
    "SIZE",
    "TEXTURES",
    "WORDS",
    "Facts",
    "Scene",
    "caption",
    "describe",
    "render",
    "renderer_version",
]
