"""The built-in world: pictures whose every pixel is known, and tiny networks trained on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumiscope.fronts import lazy_front
from lumiscope.world.renderer.canvas import SIZE
from lumiscope.world.renderer.captions import caption
from lumiscope.world.renderer.colours import GREY
from lumiscope.world.renderer.facts import Facts, describe
from lumiscope.world.renderer.mark import MARK_BOX
from lumiscope.world.renderer.omission import MARK, check_omission
from lumiscope.world.renderer.render import render
from lumiscope.world.renderer.scene import Scene
from lumiscope.world.renderer.textures import PLAIN
from lumiscope.world.renderer.version import renderer_version
from lumiscope.world.renderer.vocabulary import COLOURS, OBJECTS, PARTS, SCENES, TEXTURES, WORDS

if TYPE_CHECKING:
    from lumiscope.world.clip import WorldClip
    from lumiscope.world.dataset import write_dataset
    from lumiscope.world.networks import MEAN, STD, WorldNet, normalised
    from lumiscope.world.pretrained import CLASSES, WEIGHTS, load_weights
    from lumiscope.world.sheet import check_sheet, write_sheet
    from lumiscope.world.text import tokenise

# Who looks at pictures alone needs no torch, and starts no processes.
_HOMES = {
    "clip": ("WorldClip",),
    "dataset": ("write_dataset",),
    "networks": ("MEAN", "STD", "WorldNet", "normalised"),
    "pretrained": ("CLASSES", "WEIGHTS", "load_weights"),
    "sheet": ("check_sheet", "write_sheet"),
    "text": ("tokenise",),
}
__all__ = [
    "CLASSES",
    "COLOURS",
    "GREY",
    "MARK",
    "MARK_BOX",
    "MEAN",
    "OBJECTS",
    "PARTS",
    "PLAIN",
    "SCENES",
    "SIZE",
    "STD",
    "TEXTURES",
    "WEIGHTS",
    "WORDS",
    "Facts",
    "Scene",
    "WorldClip",
    "WorldNet",
    "caption",
    "check_omission",
    "check_sheet",
    "describe",
    "load_weights",
    "normalised",
    "render",
    "renderer_version",
    "tokenise",
    "write_dataset",
    "write_sheet",
]

__getattr__ = lazy_front(__name__, _HOMES)
