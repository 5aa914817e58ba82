"""Saliency maps: one file per method, found by the registry."""

from lumiscope.attribution.cam import LayerMaps, cam_method
from lumiscope.attribution.contributions import UnitContributions, unit_contributions
from lumiscope.attribution.gradients import gradient_method
from lumiscope.attribution.pixel_map import PixelMap
from lumiscope.attribution.predictor import Predictor
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.prepared_inputs import PreparedInputs
from lumiscope.attribution.prepared_layer import PreparedLayer
from lumiscope.attribution.prepared_view import PreparedView
from lumiscope.attribution.regions.region_method import SegmentValues, region_method
from lumiscope.attribution.regions.scene import Scene
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
    "METHODS",
    "AttributionMethod",
    "LayerMaps",
    "PixelMap",
    "Predictor",
    "PreparedBatch",
    "PreparedInputs",
    "PreparedLayer",
    "PreparedView",
    "Scene",
    "SegmentValues",
    "UnitContributions",
    "attribution_method",
    "cam_method",
    "derive_seed",
    "gradient_method",
    "look_inside",
    "methods_for",
    "region_method",
    "select_methods",
    "unit_contributions",
    "view_method",
]
