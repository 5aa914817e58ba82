"""The tables of Network Dissection: `network_dissection`, `detectors`, and the best concept by category."""

from __future__ import annotations

import pyarrow as pa

from lumiscope.runs.no_label import NoLabel, Reason
from lumiscope.runs.table import column, table


@table("network_dissection", "each unit compared with annotated pixels")
class NetworkDissectionRow:
    """What one unit detects."""

    model: str = column("the model")
    layer: str = column("the layer")
    unit: int = column("the unit, from 0", low=0, arrow=pa.int32())
    threshold: float | None = column("the activation above which it fires; null for a unit that is left out")
    concept: str | None = column("the annotated concept with the highest IoU; null where none overlaps")
    category: str | None = column("the kind of annotation that the concept is of")
    iou: float = column("that IoU, over all images", low=0, high=1)
    detector: bool = column("whether the IoU reaches what is called a detector")
    p_value: float = column("of the IoU, among those with the annotations of other images", low=0, high=1)
    q_value: float = column("the p-value adjusted over the layer (Benjamini and Hochberg)", low=0, high=1)
    formula: str | None = column("a formula of concepts that says more than one word; null where none does")
    formula_iou: float | None = column("its IoU on the images that it was found on", low=0, high=1)
    heldout_iou: float | None = column("its IoU on images that did not choose it", low=0, high=1)
    heldout_word_iou: float | None = column("the best single word's IoU on these images", low=0, high=1)
    reason: Reason | None = column("why the unit is left out; null where it is not")
    reason_detail: str | None = column("more of the reason, in words")

    @property
    def no_label(self) -> NoLabel | None:
        """Why it is left out, with the details; None where it is not."""
        return None if self.reason is None else NoLabel(self.reason, self.reason_detail or "")


@table("detectors", "each layer and category of annotation, with the number of detectors")
class DetectorRow:
    """The detectors of one layer in one category."""

    model: str = column("the model")
    layer: str = column("the layer")
    category: str | None = column("a kind of annotation; null: all of them")
    units: int = column("units of the layer", low=0)
    detectors: int = column("units that detect a concept of the category", low=0)
    unique_detectors: int = column("different concepts that they detect", low=0)


@table("category_best", "the best concept of every category for each unit", kept=False)
class CategoryBestRow:
    """The concept of one category with which a unit overlaps most."""

    model: str = column("the model")
    layer: str = column("the layer")
    unit: int = column("the unit, from 0", low=0, arrow=pa.int32())
    category: str = column("a kind of annotation")
    concept: str = column("the concept of it with the highest IoU")
    iou: float = column("that IoU, over all images", low=0, high=1)
