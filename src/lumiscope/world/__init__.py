"""The built-in world: pictures whose every pixel is known, and tiny networks trained on them."""

from lumiscope.world.renderer import (
    COLOURS,
    MARK_BOX,
    OBJECTS,
    PARTS,
    PLAIN,
    SCENES,
    SIZE,
    TEXTURES,
    WORDS,
    Facts,
    Scene,
    caption,
    describe,
    render,
    renderer_version,
)

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
