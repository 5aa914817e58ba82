"""Where models come from: one module a scheme, found by the registry."""

from lumiscope.models.sources.registry import (
    Loaded,
    LoadedBlackBox,
    Preprocessing,
    find_source,
    model_source,
    sources,
)

__all__ = ["Loaded", "LoadedBlackBox", "Preprocessing", "find_source", "model_source", "sources"]
