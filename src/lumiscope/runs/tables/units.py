"""The tables about single units: `units`, `shown_units` and `unit_crops`."""

from __future__ import annotations

import pyarrow as pa

from lumiscope.runs.no_label import NoLabel, Reason
from lumiscope.runs.table import column, table
from lumiscope.unit_address import UnitAddress


@table("units", "each unit: label, evidence, the five best concepts, top images, counter-examples, histogram")
class UnitRow:
    """One unit."""

    model: str = column("the model")
    layer: str = column("the layer")
    unit: int = column("the unit, from 0", low=0, arrow=pa.int32())
    label: str | None = column("the concept that it responds to; null where the evidence bears none")
    further_labels: tuple[str, ...] = column("concepts that it responds to where the label does not explain it")
    score: float = column("similarity of the best concept, whether or not it is the label; NaN where undefined")
    margin: float = column("that score minus the runner-up's", low=0)
    category: str | None = column("the label's category")
    runner_up: str | None = column("the second best concept")
    reason: Reason | None = column("why it has no label; null where it has one")
    reason_detail: str | None = column("more of the reason, in words")
    p_value: float = column("of the correlation with the best of all concepts, under permutation", low=0, high=1)
    q_value: float = column("the p-value adjusted over the layer (Benjamini and Hochberg)", low=0, high=1)
    stability: float = column("share of resamples of the images in which the same concept is first", low=0, high=1)
    label_set: tuple[str, ...] = column("words that could be the best: the label, then by correlation, at most 20")
    label_set_size: int | None = column("how many words could be; null: no label, or too few images", low=1)
    cluster: int = column("units of the layer that respond alike have the same number, from 0", low=0)
    heldout_correlation: float = column(
        "correlation with the concept on images that had no part in choosing and testing it", low=-1, high=1
    )
    heldout_precision: float = column("average precision with which it ranks those that show it", low=0, high=1)
    heldout_chance: float = column("the average precision of a random order", low=0, high=1)
    best_concepts: tuple[str, ...] = column("the most similar concepts, best first, whatever the evidence says")
    best_scores: tuple[float, ...] = column("their similarities")
    top_images: tuple[str, ...] = column("probing images on which it is most active, most active first")
    top_activations: tuple[float, ...] = column("its pooled activations there", arrow=pa.list_(pa.float32()))
    active_without: tuple[str, ...] = column("images where it is strongly active though its best concept is absent")
    silent_with: tuple[str, ...] = column("images that show its best concept and leave it silent")
    histogram: tuple[int, ...] = column("images in each of equally wide bins of activation")
    lowest: float = column("its lowest activation: where the bins begin", arrow=pa.float32())
    highest: float = column("its highest activation: where the bins end", arrow=pa.float32())

    @property
    def address(self) -> str:
        """As `explain --unit` and `units --unit` take it."""
        return str(UnitAddress(self.layer, self.unit))

    @property
    def no_label(self) -> NoLabel | None:
        """Why it has no label, with the details; None where it has one."""
        return None if self.reason is None else NoLabel(self.reason, self.reason_detail or "")

    @property
    def words_in_set(self) -> str:
        """The set of words that could be the best, in words."""
        if self.label_set_size is None:
            return "cannot be told with so few images"
        if self.label_set_size == 1:
            return "this word alone"
        more = self.label_set_size - len(self.label_set)
        return f"{self.label_set_size:,} words: {', '.join(self.label_set)}" + (f" and {more:,} more" if more else "")

    @property
    def best_concept(self) -> str | None:
        """The label; the most similar concept where there is none."""
        return self.label or next(iter(self.best_concepts), None)


@table("shown_units", "each unit that the report shows a card of")
class ShownUnitRow:
    """One unit that is worth a card: the clearest of its layer, or one of those without a label."""

    model: str = column("the model")
    layer: str = column("the layer")
    unit: int = column("the unit, from 0", low=0)
    place: int = column("its place among the cards of the layer, from 1", low=1)


@table("unit_crops", "each picture of a unit that the report shows: the part of the view where the unit fires")
class UnitCropRow:
    """Where one unit fires on one probing image; without a row it fires everywhere or nowhere in particular."""

    model: str = column("the model")
    layer: str = column("the layer")
    unit: int = column("the unit, from 0", low=0)
    image: str = column("the probing image")
    left: float = column("left edge, in widths of the view", low=0, high=1)
    top: float = column("top edge, in heights of the view", low=0, high=1)
    right: float = column("right edge, in widths of the view", low=0, high=1)
    bottom: float = column("bottom edge, in heights of the view", low=0, high=1)
