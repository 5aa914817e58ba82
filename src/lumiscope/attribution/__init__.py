"""Saliency maps: one file per method, found by the registry."""

from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.registry import (
    METHODS,
    AttributionMethod,
    attribution_method,
    look_inside,
    methods_for,
    select_methods,
)
from lumiscope.attribution.seeds import derive_seed

__all__ = [
    "METHODS",
    "AttributionMethod",
    "PreparedBatch",
    "attribution_method",
    "derive_seed",
    "look_inside",
    "methods_for",
    "select_methods",
]
