"""Where models come from, and how they are run, cut and left as they were."""

from lumiscope.models.guard import borrowed
from lumiscope.models.layers import Layer, select_layers, stages
from lumiscope.models.load import default_name, load_model
from lumiscope.models.options import parse_model_options
from lumiscope.models.sources import sources
from lumiscope.models.split import Cut, Split, split
from lumiscope.models.torch_model import TorchModel
from lumiscope.models.vision_model import VisionModel, class_index, label_index, mask_shows_label, short_name

__all__ = [
    "Cut",
    "Layer",
    "Split",
    "TorchModel",
    "VisionModel",
    "borrowed",
    "class_index",
    "default_name",
    "label_index",
    "load_model",
    "mask_shows_label",
    "parse_model_options",
    "select_layers",
    "short_name",
    "sources",
    "split",
    "stages",
]
