"""Saliency maps: one file per method, found by the registry."""

from lumiscope.attribution.prepared import PreparedBatch, derive_seed
from lumiscope.attribution.registry import (
    AttributionMethod,
    attribution_method,
    attribution_methods,
    get_method,
    look_inside,
    methods_for,
    select_methods,
)

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
