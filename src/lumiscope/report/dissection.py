"""What the units of each layer respond to, by category and concept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumiscope.concepts.categories import OTHER
from lumiscope.dissection import NO_LABEL
from lumiscope.report.embed import Thumbnails
from lumiscope.report.numbers import counted, percent
from lumiscope.report.palette import category_colour, further_categories, text_colour
from lumiscope.report.units import LayerUnits, layer_units, units_json

if TYPE_CHECKING:
    from markupsafe import Markup

    from lumiscope.study import Run

TOP_CONCEPTS = 8
NAMED_SHARE = 0.11  # narrower pieces of a bar have no room for their name


@dataclass(frozen=True)
class Category:
    """A category and its fixed colours: of its bars, and of text on them."""

    name: str
    colour: str
    text: str


@dataclass(frozen=True)
class Piece:
    """The units of one layer in one category. `share`: of all units of the layer. `named`: its bar has room for it."""

    category: Category
    units: int
    share: float

    @property
    def named(self) -> bool:
        """Whether the bar has room for the category's name."""
        return self.share >= NAMED_SHARE


@dataclass(frozen=True)
class Layer:
    """One layer: its counts, its bar, its most frequent concepts as (concept, units), and some of its units."""

    name: str
    units: int
    labelled: int
    unique_concepts: int
    pieces: tuple[Piece, ...]
    concepts: tuple[tuple[str, int], ...]
    cards: LayerUnits


@dataclass(frozen=True)
class Trend:
    """The share of one category in every layer, in depth order: pieces as in the bars."""

    category: Category
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class DissectedModel:
    """One model, its layers in order of depth, and how each category grows or fades with it."""

    model: str
    layers: tuple[Layer, ...]
    trends: tuple[Trend, ...]


@dataclass(frozen=True)
class Dissection:
    """View data of the section. `top_share`: the highest bar of all trends, the scale they share."""

    models: tuple[DissectedModel, ...]
    legend: tuple[Category, ...]
    top_share: float
    notes: tuple[str, ...]
    units: Markup
    unit_count: int

    def __bool__(self) -> bool:
        return bool(self.models)


def dissection_of(run: Run, thumbnails: Thumbnails) -> Dissection:
    """Build the section from `layers`, `categories`, `concept_counts` and `units`."""
    shares = run.table("categories").to_pylist()
    counts = [row for row in run.table("concept_counts").to_pylist() if row["layer"] is not None]
    units = run.table("units").to_pylist()
    categories = _categories(shares)
    digests = {row["image"]: row["sha256"] for row in run.table("probing_images").to_pylist()}
    models: dict[str, list[Layer]] = {}
    for row in run.table("layers").to_pylist():
        layer = Layer(
            name=row["layer"],
            units=row["units"],
            labelled=row["labelled"],
            unique_concepts=row["unique_concepts"],
            pieces=tuple(Piece(categories[x["category"]], x["units"], x["share"]) for x in _of(shares, row)),
            concepts=tuple((x["concept"], x["units"]) for x in _of(counts, row)[:TOP_CONCEPTS]),
            cards=layer_units(_of(units, row), run.probing_pixels, thumbnails, digests),
        )
        models.setdefault(row["model"], []).append(layer)
    used = {row["category"] for row in shares if row["units"]}
    legend = tuple(category for name, category in categories.items() if name in used)
    dissected = tuple(DissectedModel(name, tuple(layers), _trends(layers, legend)) for name, layers in models.items())
    trends = [piece.share for model in dissected for trend in model.trends for piece in trend.pieces]
    return Dissection(
        models=dissected,
        legend=legend,
        top_share=max(trends, default=0.0),
        notes=tuple(_notes(run.manifest, shares)),
        units=units_json(units),
        unit_count=len(units),
    )


def _of(rows: Iterable[Mapping[str, Any]], layer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["model"] == layer["model"] and row["layer"] == layer["layer"]]


def _categories(shares: Sequence[Mapping[str, Any]]) -> dict[str, Category]:
    names = list(dict.fromkeys(row["category"] for row in shares))
    further = further_categories(names)
    colours = {name: category_colour(name, further) for name in names}
    return {name: Category(name, colour, text_colour(colour)) for name, colour in colours.items()}


def _trends(layers: Sequence[Layer], legend: Iterable[Category]) -> tuple[Trend, ...]:
    """One trend for each category that any model has, so that the panels of the models stand side by side."""
    if len(layers) < 2:
        return ()
    by_layer = [{piece.category: piece for piece in layer.pieces} for layer in layers]
    return tuple(Trend(category, tuple(pieces[category] for pieces in by_layer)) for category in legend)


def _notes(manifest: Mapping[str, Any], shares: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    if probe := manifest.get("probe"):
        yield f"The units were named from {counted(probe['count'], 'probing image')} ({probe['source']})."
    if concepts := manifest.get("concepts"):
        known = f"{counted(concepts['count'], 'concept')} of the set “{concepts['name']}”"
        other = concepts.get("other_share")
        yield f"Names come from {known}" + (
            f"; {percent(other)} of them are in the category “{OTHER}”." if other is not None else "."
        )
    shares = list(shares)
    total = sum(row["units"] for row in shares)
    counted_units = {name: sum(row["units"] for row in shares if row["category"] == name) for name in (OTHER, NO_LABEL)}
    if total:
        yield (
            f"Of all {counted(total, 'unit')}, {percent(counted_units[OTHER] / total)} are named with a concept of the "
            f"category “{OTHER}” and {percent(counted_units[NO_LABEL] / total)} have no label."
        )
    yield from manifest.get("similarity_notes") or ()
