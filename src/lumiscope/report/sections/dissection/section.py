"""What the units of each layer respond to, by category and concept, and how far that can be believed."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from lumiscope.report.categories import coloured
from lumiscope.report.page import Page
from lumiscope.report.parts.category import Category
from lumiscope.report.registry import section
from lumiscope.report.sections.dissection.controls import ControlledLayer, controlled_layers
from lumiscope.report.sections.dissection.differences import ModelPair, model_pairs
from lumiscope.report.sections.dissection.layers import DissectedModel, dissected_models
from lumiscope.report.sections.dissection.notes import notes
from lumiscope.report.sections.dissection.unit_table import units_json
from lumiscope.runs import CategoryRow, ConceptCountRow, ControlRow, LayerRow, LowLevelRow, ModelDifferenceRow, UnitRow


@dataclass(frozen=True)
class Dissection:
    """What the section shows. `categories`: by name; `legend`: those that units have. `unit_json`: for the script.

    `highest_share`: the highest whisker of all trends, the scale they share. Units without a label do not count: where
    few units have one, the other trends would be invisible.
    """

    models: tuple[DissectedModel, ...]
    categories: dict[str, Category]
    legend: tuple[Category, ...]
    highest_share: float
    pairs: tuple[ModelPair, ...]
    controlled: tuple[ControlledLayer, ...]
    notes: tuple[str, ...]
    unit_json: Markup
    unit_count: int


@section(
    "dissection",
    title="Dissection",
    order=30,
    needs=(LayerRow,),
    shows=(UnitRow, ConceptCountRow, CategoryRow, ControlRow, LowLevelRow, ModelDifferenceRow),
)
def dissection(page: Page) -> Dissection:
    """Categories and concepts of every layer, what differs between the models, and the units themselves."""
    run = page.run
    shares = run.rows(CategoryRow)
    categories = coloured(row.category for row in shares)
    used = {row.category for row in shares if row.units}
    legend = tuple(category for name, category in categories.items() if name in used)
    models = dissected_models(page, categories, legend)
    trends = [trend for model in models for trend in model.trends if not trend.category.is_hatched]
    units = run.rows(UnitRow)
    return Dissection(
        models=models,
        categories=categories,
        legend=legend,
        highest_share=max((row.high for trend in trends for row in trend.shares), default=0.0),
        pairs=model_pairs(run.rows(ModelDifferenceRow), categories),
        controlled=tuple(controlled_layers(run)),
        notes=tuple(notes(run)),
        unit_json=units_json(units),
        unit_count=len(units),
    )
