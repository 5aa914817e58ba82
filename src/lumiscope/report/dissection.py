"""What the units of each layer respond to, by category and concept, and how far that can be believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumiscope.concepts.categories import OTHER
from lumiscope.dissection.summary import NO_LABEL, REASONS
from lumiscope.report.categories import Category, coloured
from lumiscope.report.embed import Thumbnails
from lumiscope.report.model_differences import ModelPair, model_pairs
from lumiscope.report.numbers import counted, percent
from lumiscope.report.unit_pictures import UnitPictures
from lumiscope.report.unit_table import units_json
from lumiscope.report.units import LayerUnits, layer_units

if TYPE_CHECKING:
    from markupsafe import Markup

    from lumiscope.study import Run

TOP_CONCEPTS = 8
NAMED_SHARE = 0.11  # narrower pieces of a bar have no room for their name
ALL_LAYERS = "all layers"


@dataclass(frozen=True)
class Piece:
    """The units of one layer in one category. `share`: of all units of the layer, with its interval."""

    category: Category
    units: int
    share: float
    low: float
    high: float

    @property
    def named(self) -> bool:
        """Whether the bar has room for the category's name."""
        return self.share >= NAMED_SHARE


@dataclass(frozen=True)
class Layer:
    """One layer, or all of a model: its counts, its bar, its most frequent concepts as (concept, units).

    `share`, `low`, `high`: of units with a label. `refused`: why units have none, as (reason, units). `correlation`:
    the median held-out correlation of the labelled units.
    """

    name: str
    units: int
    labelled: int
    share: float
    low: float
    high: float
    unique_concepts: int
    refused: tuple[tuple[str, int], ...]
    correlation: float | None
    pieces: tuple[Piece, ...]
    concepts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Trend:
    """The share of one category in every layer, in depth order: pieces as in the bars."""

    category: Category
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class DissectedModel:
    """One model: its layers in order of depth, all of them together, and how each category grows or fades with depth.

    `cards`: the units shown of each layer.
    """

    model: str
    layers: tuple[Layer, ...]
    whole: Layer
    trends: tuple[Trend, ...]
    cards: tuple[LayerUnits, ...]

    @property
    def rows(self) -> tuple[Layer, ...]:
        """The layers, and all of them together where there are several."""
        return (*self.layers, self.whole) if len(self.layers) > 1 else self.layers


@dataclass(frozen=True)
class Dissection:
    """View data of the section.

    `top_share`: the highest whisker of all trends, the scale they share. Units without a label do not count: where few
    units have one, the other trends would be invisible.

    `fdr`, `min_stability`: what a label had to pass; None where the run does not say.
    """

    models: tuple[DissectedModel, ...]
    legend: tuple[Category, ...]
    top_share: float
    pairs: tuple[ModelPair, ...]
    notes: tuple[str, ...]
    fdr: float | None
    min_stability: float | None
    run: str
    units: Markup
    unit_count: int

    def __bool__(self) -> bool:
        return bool(self.models)


def dissection_of(run: Run, thumbnails: Thumbnails) -> Dissection:
    """Build the section from `layers`, `categories`, `concept_counts`, `model_differences` and `units`."""
    shares = run.table("categories").to_pylist()
    counts = [row for row in run.table("concept_counts").to_pylist() if row["units"]]
    units = run.table("units").to_pylist()
    layers = run.table("layers").to_pylist()
    categories = coloured(row["category"] for row in shares)
    used = {row["category"] for row in shares if row["units"]}
    legend = tuple(category for name, category in categories.items() if name in used)
    pictures = UnitPictures(run, thumbnails)
    models = []
    for model in dict.fromkeys(row["model"] for row in layers):
        rows = [row for row in layers if row["model"] == model]
        made = [_layer(row, _of(shares, row), _of(counts, row), categories) for row in rows]
        *found, whole = made
        cards = tuple(layer_units(_of(units, row), pictures) for row in rows[:-1])
        models.append(DissectedModel(model, tuple(found), whole, _trends(found, legend), cards))
    trends = [trend for model in models for trend in model.trends if trend.category.name != NO_LABEL]
    return Dissection(
        models=tuple(models),
        legend=legend,
        top_share=max((piece.high for trend in trends for piece in trend.pieces), default=0.0),
        pairs=model_pairs(run.table("model_differences").to_pylist(), categories),
        notes=tuple(_notes(run.manifest, [model.whole for model in models])),
        fdr=run.manifest.get("fdr"),
        min_stability=run.manifest.get("min_stability"),
        run=str(run.folder),
        units=units_json(units),
        unit_count=len(units),
    )


def _of(rows: Iterable[Mapping[str, Any]], layer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["model"] == layer["model"] and row["layer"] == layer["layer"]]


def _layer(
    row: Mapping[str, Any],
    shares: Iterable[Mapping[str, Any]],
    counts: Sequence[Mapping[str, Any]],
    categories: Mapping[str, Category],
) -> Layer:
    refused = ((reason, row[reason.replace(" ", "_")]) for reason in REASONS)
    return Layer(
        name=ALL_LAYERS if row["layer"] is None else row["layer"],
        units=row["units"],
        labelled=row["labelled"],
        share=row["share"],
        low=row["low"],
        high=row["high"],
        unique_concepts=row["unique_concepts"],
        refused=tuple((reason, count) for reason, count in refused if count),
        correlation=row["heldout_correlation"],
        pieces=tuple(Piece(categories[x["category"]], x["units"], x["share"], x["low"], x["high"]) for x in shares),
        concepts=tuple((x["concept"], x["units"]) for x in counts[:TOP_CONCEPTS]),
    )


def _trends(layers: Sequence[Layer], legend: Iterable[Category]) -> tuple[Trend, ...]:
    """One trend for each category that any model has, so that the panels of the models stand side by side."""
    if len(layers) < 2:
        return ()
    by_layer = [{piece.category: piece for piece in layer.pieces} for layer in layers]
    return tuple(Trend(category, tuple(pieces[category] for pieces in by_layer)) for category in legend)


def _notes(manifest: Mapping[str, Any], models: Sequence[Layer]) -> Iterable[str]:
    if probe := manifest.get("probe"):
        yield f"The units were named from {counted(probe['count'], 'probing image')} ({probe['source']})."
    if concepts := manifest.get("concepts"):
        known = f"{counted(concepts['count'], 'concept')} of the set “{concepts['name']}”"
        other = concepts.get("other_share")
        yield f"Names come from {known}" + (
            f"; {percent(other)} of them are in the category “{OTHER}”." if other else "."
        )
    total = sum(model.units for model in models)
    if total:
        other_units = sum(piece.units for model in models for piece in model.pieces if piece.category.name == OTHER)
        labelled = sum(model.labelled for model in models)
        refused = {reason: sum(dict(model.refused).get(reason, 0) for model in models) for reason in REASONS}
        why = ", ".join(f"{count} {reason}" for reason, count in refused.items() if count)
        other_share = f" ({percent(other_units / total)} one of the category “{OTHER}”)" if other_units else ""
        yield (
            f"Of all {counted(total, 'unit')}, {percent(labelled / total)} got a label{other_share}."
            + (f" The others: {why}." if why else "")
        )
    yield from manifest.get("similarity_notes") or ()
