"""The table `layers`."""

from __future__ import annotations

from lumiscope.runs.no_label import Reason
from lumiscope.runs.table import column, table


@table("layers", "each dissected layer, and each model (`layer` is null): units, labels, reasons")
class LayerRow:
    """The units of a layer, or of all layers of a model, counted."""

    model: str = column("the model")
    layer: str | None = column("the layer; null: all layers of the model together")
    units: int = column("its units", low=0)
    labelled: int = column("units with a label", low=0)
    share: float = column("labelled units of all; NaN without units", low=0, high=1)
    low: float = column(
        "lower end of the share's 95 % interval (Wilson, of clusters of units that respond alike)", low=0, high=1
    )
    high: float = column("upper end of that interval", low=0, high=1)
    fdr: float | None = column(
        "false discovery rate of units that are related to no concept; null: labels were not tested", low=0, high=1
    )
    unique_concepts: int = column("different labels", low=0)
    dead: int = column("units without a label because they are 0 on every probing image", low=0)
    constant: int = column("units without a label because they are always the same", low=0)
    not_finite: int = column("units without a label because they are NaN or infinite somewhere", low=0)
    undefined: int = column("units without a label because no concept has a finite score", low=0)
    not_significant: int = column("units without a label because their q is above the rate", low=0)
    unstable: int = column("units without a label because their best concept depends on the images drawn", low=0)
    heldout_correlation: float = column("median over the labelled units; NaN without any", low=-1, high=1)

    @property
    def refused(self) -> dict[Reason, int]:
        """The reasons that units have no label, with the number of units; only those that occur."""
        units: dict[Reason, int] = {reason: getattr(self, reason.column) for reason in Reason}
        return {reason: count for reason, count in units.items() if count}
