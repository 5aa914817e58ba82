"""Where models come from: importing this package registers every scheme."""

from lumiscope.models.sources import python_source, timm_source, torchvision_source
from lumiscope.models.sources.registry import Loaded, Preprocessing, find_source, model_source, sources

__all__ = [
    "Loaded",
    "Preprocessing",
    "find_source",
    "model_source",
    "python_source",
    "sources",
    "timm_source",
    "torchvision_source",
]
