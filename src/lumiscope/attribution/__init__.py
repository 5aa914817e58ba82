"""Saliency maps: one file per method; importing this package registers all of them."""

from lumiscope.attribution import ablationcam, gradcam, lime, scorecam
from lumiscope.attribution.prepared import PreparedBatch, derive_seed
from lumiscope.attribution.registry import (
    AttributionMethod,
    attribution_method,
    attribution_methods,
    get_method,
    select_methods,
)

__all__ = [
    "AttributionMethod",
    "PreparedBatch",
    "ablationcam",
    "attribution_method",
    "attribution_methods",
    "derive_seed",
    "get_method",
    "gradcam",
    "lime",
    "scorecam",
    "select_methods",
]
