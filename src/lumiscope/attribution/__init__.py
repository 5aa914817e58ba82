"""Saliency maps: one file per method, found by the registry."""

from lumiscope.attribution.cam import LayerMaps, cam_method
from lumiscope.attribution.contributions import UnitContributions, unit_contributions
from lumiscope.attribution.gradients import gradient_method
from lumiscope.attribution.hide_color import flat_picture
from lumiscope.attribution.kept_classes import KeptClasses
from lumiscope.attribution.option_help import OptionHelp, option_help, segmenter_help
from lumiscope.attribution.pixel_map import PixelMap
from lumiscope.attribution.predictor import Predictor
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.prepared_inputs import PreparedInputs
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.prepared_view import PreparedView
from lumiscope.attribution.regions.designs import DESIGNS
from lumiscope.attribution.regions.lime_estimate import Estimate
from lumiscope.attribution.regions.lime_options import LimeOptions
from lumiscope.attribution.regions.lime_samples import LimeSamples, take_samples
from lumiscope.attribution.regions.region_method import SegmentValues, region_method
from lumiscope.attribution.regions.scene import Scene
from lumiscope.attribution.regions.segmenters import SEGMENTERS, Segmenter, check_segmenter, renumbered, segment_view
from lumiscope.attribution.registry import (
    METHODS,
    AttributionMethod,
    attribution_method,
    look_inside,
    methods_for,
    select_methods,
)
from lumiscope.attribution.seeds import derive_seed
from lumiscope.attribution.view_method import view_method

__all__ = [
    "DESIGNS",
    "METHODS",
    "SEGMENTERS",
    "AttributionMethod",
    "Estimate",
    "KeptClasses",
    "LayerMaps",
    "LimeOptions",
    "LimeSamples",
    "OptionHelp",
    "PixelMap",
    "Predictor",
    "PreparedBatch",
    "PreparedInputs",
    "PreparedLayer",
    "PreparedView",
    "Scene",
    "SegmentValues",
    "Segmenter",
    "UnitContributions",
    "attribution_method",
    "cam_method",
    "check_segmenter",
    "derive_seed",
    "flat_picture",
    "gradient_method",
    "look_inside",
    "methods_for",
    "option_help",
    "region_method",
    "renumbered",
    "segment_view",
    "segmenter_help",
    "select_methods",
    "take_samples",
    "unit_contributions",
    "view_method",
]
