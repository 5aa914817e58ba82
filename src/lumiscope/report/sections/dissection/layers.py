"""The layers of a model: what their units respond to, by category and concept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lumiscope.counts import counted
from lumiscope.report.numbers import percent
from lumiscope.report.page import Page
from lumiscope.report.parts.category import Category
from lumiscope.report.parts.stacked_bar import Piece, StackedBar
from lumiscope.report.sections.dissection.trends import Trend, trends
from lumiscope.report.sections.dissection.unit_cards import LayerCards, UnitCards
from lumiscope.runs import CategoryRow, ConceptCountRow, LayerRow

TOP_CONCEPTS = 8
NAMED_SHARE = 0.11  # narrower pieces of a bar have no room for their name
ALL_LAYERS = "all layers"
Counted = TypeVar("Counted", CategoryRow, ConceptCountRow)


@dataclass(frozen=True)
class Layer:
    """One layer, or all of a model together. `shares`: of each category. `concepts`: the most frequent ones.

    `cards`: the units that are shown; none where it stands for all layers.
    """

    row: LayerRow
    shares: Mapping[Category, CategoryRow]
    concepts: tuple[ConceptCountRow, ...]
    cards: LayerCards

    @property
    def name(self) -> str:
        """What it is called."""
        return ALL_LAYERS if self.row.layer is None else self.row.layer

    @property
    def bar(self) -> StackedBar:
        """All its units, by category."""
        used = [(category, row) for category, row in self.shares.items() if row.units]
        shares = ", ".join(f"{category.name} {percent(row.share)}" for category, row in used)
        return StackedBar(f"{self.name}: {shares}", tuple(_piece(category, row) for category, row in used))


@dataclass(frozen=True)
class DissectedModel:
    """One model: its layers in order of depth, all of them together, and how each category changes with depth."""

    model: str
    layers: tuple[Layer, ...]
    whole: Layer
    trends: tuple[Trend, ...]

    @property
    def rows(self) -> tuple[Layer, ...]:
        """The layers, and all of them together where there are several."""
        return (*self.layers, self.whole) if len(self.layers) > 1 else self.layers


def dissected_models(
    page: Page, categories: Mapping[str, Category], legend: Sequence[Category]
) -> tuple[DissectedModel, ...]:
    """Every model that was dissected. `categories`: by name; `legend`: those that units of any model have."""
    shares = _by_layer(page.run.rows(CategoryRow))
    counts = _by_layer(row for row in page.run.rows(ConceptCountRow) if row.units)
    cards = UnitCards(page)
    models: dict[str, list[Layer]] = {}
    for row in page.run.rows(LayerRow):
        place = (row.model, row.layer)
        by_category = {categories[share.category]: share for share in shares.get(place, ())}
        concepts = counts.get(place, ())[:TOP_CONCEPTS]
        models.setdefault(row.model, []).append(Layer(row, by_category, tuple(concepts), cards.of(*place)))
    return tuple(
        DissectedModel(model, tuple(layers), whole, trends([layer.shares for layer in layers], legend))
        for model, (*layers, whole) in models.items()
    )


def _by_layer(rows: Iterable[Counted]) -> dict[tuple[str, str | None], list[Counted]]:
    layers: dict[tuple[str, str | None], list[Counted]] = {}
    for row in rows:
        layers.setdefault((row.model, row.layer), []).append(row)
    return layers


def _piece(category: Category, row: CategoryRow) -> Piece:
    interval = f"95 % interval {percent(row.low)} to {percent(row.high)}"
    title = f"{category.name}: {counted(row.units, 'unit')}, {percent(row.share)} ({interval})"
    return Piece(category, row.share, category.name if row.share >= NAMED_SHARE else "", title)
