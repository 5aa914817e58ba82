"""The built-in world: pictures whose every pixel is known, and tiny networks trained on them."""

from lumiscope.world.renderer.canvas import SIZE
from lumiscope.world.renderer.captions import caption
from lumiscope.world.renderer.facts import Facts, describe
from lumiscope.world.renderer.mark import MARK_BOX
from lumiscope.world.renderer.render import render
from lumiscope.world.renderer.scene import Scene
from lumiscope.world.renderer.textures import PLAIN
from lumiscope.world.renderer.version import renderer_version
from lumiscope.world.renderer.vocabulary import COLOURS, OBJECTS, PARTS, SCENES, TEXTURES, WORDS

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
