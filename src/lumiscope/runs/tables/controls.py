"""What labels are worth beside those of random weights: `controls`, `control_categories` and `low_level`."""

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


@table("low_level", "each unit of each model and of its controls: what of its label is beyond light, colour and edges")
class LowLevelRow:
    """One unit's label, given brightness, contrast, colour, edges and position in the probing images.

    Correlations are of the images that had no part in choosing the label; NaN without one, or with too few images.
    """

    model: str = column("the model")
    layer: str = column("the layer")
    seed: int | None = column("which of the model's controls, with random weights; null: the model itself", low=0)
    unit: int = column("the unit, from 0", low=0)
    label: str | None = column("its label; null: none")
    cluster: int = column("units of the layer that respond alike have the same number, from 0", low=0)
    correlation: float = column("of its activations with the label's scores", low=-1, high=1)
    partial_correlation: float = column("of what low-level features explain of neither", low=-1, high=1)
    p_value: float = column("that the latter is not positive, under permutation", low=0, high=1)
    q_value: float = column("the p-value adjusted over the layer (Benjamini and Hochberg)", low=0, high=1)
    survives: bool | None = column(
        "whether the label says more than low-level features do; null: there are too few images to tell"
    )
