"""Saliency maps: one file per method, found by the registry."""

from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.registry import (
    AttributionMethod,
    attribution_method,
    attribution_methods,
    get_method,
    look_inside,
    methods_for,
    select_methods,
)
from lumiscope.attribution.seeds import derive_seed

__all__ = [
    "AttributionMethod",
    "PreparedBatch",
    "attribution_method",
    "attribution_methods",
    "derive_seed",
    "get_method",
    "look_inside",
    "methods_for",
    "select_methods",
]
