"""Saliency maps: one file per method, found by the registry."""

from lumiscope.attribution.contributions import UnitContributions, unit_contributions
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
    "UnitContributions",
    "attribution_method",
    "derive_seed",
    "look_inside",
    "methods_for",
    "select_methods",
    "unit_contributions",
]
