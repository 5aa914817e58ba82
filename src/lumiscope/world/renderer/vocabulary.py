"""The words of the world: what its pictures can show."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lumiscope.world.renderer import drawings  # noqa: F401  (registers what can be drawn)
from lumiscope.world.renderer._brush import BACKDROPS
from lumiscope.world.renderer._pen import KINDS
from lumiscope.world.renderer.colours import COLOURS
from lumiscope.world.renderer.textures import TEXTURES

OBJECTS = tuple(KINDS)
SCENES = tuple(BACKDROPS)
PARTS = tuple(
    dict.fromkeys(
        [part for kind in KINDS.values() for part in kind.parts]
        + [part for backdrop in BACKDROPS.values() for part in backdrop.parts]
    )
)

WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"scene": SCENES, "object": OBJECTS, "part": PARTS, "colour": COLOURS, "texture": TEXTURES}
)


def part_number(name: str) -> int:
    """The value of a part in a part map: its index in PARTS, plus 1."""
    return PARTS.index(name) + 1


__all__ = ["COLOURS", "OBJECTS", "PARTS", "SCENES", "TEXTURES", "WORDS", "part_number"]
