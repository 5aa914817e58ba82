"""Where models come from, and how they are run, cut and left as they were."""

from lumiscope.models.backends import (
    BACKENDS,
    Backend,
    Choice,
    Precision,
    Runner,
    Session,
    available_backends,
    check_names,
    in_batches,
    is_out_of_memory,
)
from lumiscope.models.black_box import BlackBox
from lumiscope.models.deciding_run import run_counter
from lumiscope.models.fitting_files import check_files
from lumiscope.models.guard import borrowed
from lumiscope.models.hub import quick_hub
from lumiscope.models.layers import Layer
from lumiscope.models.layout import Layout
from lumiscope.models.load import check_asked, default_name, load_model
from lumiscope.models.options import parse_model_options
from lumiscope.models.outputs import first_tensor, logits_of
from lumiscope.models.random_weights import (
    RANDOMISATIONS,
    batch_statistics,
    has_batch_statistics,
    randomised,
    untrained,
    with_network,
    with_statistics,
)
from lumiscope.models.sources import SOURCES, Source, find_source
from lumiscope.models.sources.python_source import find_callable
from lumiscope.models.split import Cut, Split, split
from lumiscope.models.stages import equal_blocks, select_layers, stage_notes, stages
from lumiscope.models.torch_model import TorchModel
from lumiscope.models.unit_model import unit_model
from lumiscope.models.unit_pooling import UnitPooling, find_layer, locate_units
from lumiscope.models.vision_model import (
    Activation,
    VisionModel,
    class_index,
    label_index,
    mask_shows_label,
    probabilities,
    unmatched_labels,
)
from lumiscope.models.weights import RANDOM, RANDOM_HEAD
from lumiscope.models.wide_numbers import in_float64

__all__ = [
    "BACKENDS",
    "RANDOM",
    "RANDOMISATIONS",
    "RANDOM_HEAD",
    "SOURCES",
    "Activation",
    "Backend",
    "BlackBox",
    "Choice",
    "Cut",
    "Layer",
    "Layout",
    "Precision",
    "Runner",
    "Session",
    "Source",
    "Split",
    "TorchModel",
    "UnitPooling",
    "VisionModel",
    "available_backends",
    "batch_statistics",
    "borrowed",
    "check_asked",
    "check_files",
    "check_names",
    "class_index",
    "default_name",
    "equal_blocks",
    "find_callable",
    "find_layer",
    "find_source",
    "first_tensor",
    "has_batch_statistics",
    "in_batches",
    "in_float64",
    "is_out_of_memory",
    "label_index",
    "load_model",
    "locate_units",
    "logits_of",
    "mask_shows_label",
    "parse_model_options",
    "probabilities",
    "quick_hub",
    "randomised",
    "run_counter",
    "select_layers",
    "split",
    "stage_notes",
    "stages",
    "unit_model",
    "unmatched_labels",
    "untrained",
    "with_network",
    "with_statistics",
]
