"""The tables `concept_counts` and `categories`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("concept_counts", "each concept of each layer and model, with the number of units")
class ConceptCountRow:
    """The units of a layer, or of all layers of a model, that carry one concept."""

    model: str = column("the model")
    layer: str | None = column("the layer; null: all layers of the model together")
    concept: str = column("the concept")
    category: str = column("its category")
    units: int = column("units whose label it is", low=0)
    further: int = column("units that have it only beside another label", low=0)


@table("categories", "each category of each layer and model, with the number of units, their share and its interval")
class CategoryRow:
    """The units of a layer, or of all layers of a model, whose label is in one category."""

    model: str = column("the model")
    layer: str | None = column("the layer; null: all layers of the model together")
    category: str = column("the category; no label: units without one")
    units: int = column("units whose label is in it", low=0)
    share: float = column("of all units of the layer; NaN without units", low=0, high=1)
    low: float = column(
        "lower end of the share's 95 % interval (Wilson, of clusters of units that respond alike)", low=0, high=1
    )
    high: float = column("upper end of that interval", low=0, high=1)
