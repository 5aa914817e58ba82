"""The tables `controls` and `control_categories`: what the same architecture gets with random weights."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("controls", "each dissected layer, and each model (`layer` is null), with random weights: units and labels")
class ControlRow:
    """The units of a layer, or of all layers of a model, when the network has random weights drawn from one seed."""

    model: str = column("the model of which the control has the architecture")
    layer: str | None = column("the layer; null: all layers of the model together")
    seed: int = column("which of the controls", low=0)
    units: int = column("its units", low=0)
    labelled: int = column("units with a label", low=0)
    share: float = column("labelled units of all; NaN without units", low=0, high=1)


@table("control_categories", "each category of each layer and model with random weights, with the number of units")
class ControlCategoryRow:
    """The units of a layer, or of all layers of a control, whose label is in one category."""

    model: str = column("the model of which the control has the architecture")
    layer: str | None = column("the layer; null: all layers of the model together")
    seed: int = column("which of the controls", low=0)
    category: str = column("the category; no label: units without one")
    units: int = column("units whose label is in it", low=0)
    share: float = column("of all units of the layer; NaN without units", low=0, high=1)
