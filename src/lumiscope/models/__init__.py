"""Where models come from, and how they are run, cut and left as they were."""

from lumiscope.models.backends import (
    BACKENDS,
    Choice,
    Inference,
    Precision,
    available_backends,
    check_names,
    in_batches,
    is_out_of_memory,
)
from lumiscope.models.black_box import BlackBox
from lumiscope.models.guard import borrowed
from lumiscope.models.layers import Layer
from lumiscope.models.load import default_name, load_model
from lumiscope.models.options import parse_model_options
from lumiscope.models.sources import SOURCES
from lumiscope.models.split import Cut, Split, split
from lumiscope.models.stages import equal_blocks, select_layers, stages
from lumiscope.models.torch_model import TorchModel
from lumiscope.models.unit_model import unit_model
from lumiscope.models.vision_model import (
    Activation,
    VisionModel,
    class_index,
    label_index,
    mask_shows_label,
    probabilities,
)

__all__ = [
    "BACKENDS",
    "SOURCES",
    "Activation",
    "BlackBox",
    "Choice",
    "Cut",
    "Inference",
    "Layer",
    "Precision",
    "Split",
    "TorchModel",
    "VisionModel",
    "available_backends",
    "borrowed",
    "check_names",
    "class_index",
    "default_name",
    "equal_blocks",
    "in_batches",
    "is_out_of_memory",
    "label_index",
    "load_model",
    "mask_shows_label",
    "parse_model_options",
    "probabilities",
    "select_layers",
    "split",
    "stages",
    "unit_model",
]
