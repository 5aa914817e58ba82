"""Where models come from: one module a scheme, found by the registry."""

from lumiscope.models.sources.registry import (
    SOURCES,
    Loaded,
    LoadedBlackBox,
    Preprocessing,
    Source,
    find_source,
    model_source,
)

__all__ = ["SOURCES", "Loaded", "LoadedBlackBox", "Preprocessing", "Source", "find_source", "model_source"]
