"""What units detect, measured on annotated pixels: detectors by layer and category, and the best of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumiscope.concepts import CATEGORIES, category_of_kind
from lumiscope.report.categories import Category, coloured
from lumiscope.report.embed import Thumbnails
from lumiscope.report.numbers import defined
from lumiscope.report.unit_pictures import Shot, UnitPictures

if TYPE_CHECKING:
    from lumiscope.study import Run

SIGNIFICANT = 0.05
SHOWN = 30  # concepts a layer; the table of the run has all
PICTURES = 4
NAMED_SHARE = 0.08  # of the widest bar; narrower pieces have no room for a name
Row = Mapping[str, Any]


@dataclass(frozen=True)
class DetectorPiece:
    """The unique detectors of one layer in one category. `width`: in [0, 1] of the layer with the most."""

    category: Category
    detectors: int
    unique: int
    width: float

    @property
    def named(self) -> bool:
        """Whether the bar has room for the category's name."""
        return self.width >= NAMED_SHARE


@dataclass(frozen=True)
class Detector:
    """A concept and the unit that detects it best. `units`: how many detect it. `images`: where the unit is active."""

    concept: str
    category: Category
    unit: int
    units: int
    iou: float
    q_value: float | None
    formula: str | None
    heldout_iou: float | None
    images: tuple[Shot, ...]


@dataclass(frozen=True)
class DetectorLayer:
    """One layer: its counts, its bar, and its unique detectors, best first, `SHOWN` at most.

    `significant`: detectors whose q-value is at most `SIGNIFICANT`. `formulas`: units that a formula explains.
    """

    name: str
    units: int
    detectors: int
    unique: int
    significant: int
    formulas: int
    left_out: tuple[tuple[str, int], ...]
    pieces: tuple[DetectorPiece, ...]
    best: tuple[Detector, ...]


@dataclass(frozen=True)
class DetectorModel:
    """One model with its layers, in the order of the table."""

    model: str
    layers: tuple[DetectorLayer, ...]


@dataclass(frozen=True)
class NetworkDissectionSection:
    """View data of the section; false where the run has no such table. `tested`: whether q-values are known."""

    models: tuple[DetectorModel, ...]
    legend: tuple[Category, ...]
    tested: bool
    formulas: bool
    pictures: bool

    def __bool__(self) -> bool:
        return bool(self.models)


def network_dissection_of(run: Run, thumbnails: Thumbnails) -> NetworkDissectionSection:
    """Build the section from `network_dissection`; the pictures are those of the same units in the table `units`."""
    rows = run.table("network_dissection").to_pylist()
    layers: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        layers.setdefault((row["model"], row["layer"]), []).append(row)
    categories = coloured(_in_order(row["category"] for row in rows if row["category"]), category_of_kind)
    most = max((len(_best_units(some)) for some in layers.values()), default=0)
    shots = _Shots(run, thumbnails) if rows else None
    models: dict[str, list[DetectorLayer]] = {}
    for (model, name), some in layers.items():
        models.setdefault(model, []).append(_layer(name, some, categories, most, shots))
    found = tuple(DetectorModel(model, tuple(made)) for model, made in models.items())
    every = [layer for model in found for layer in model.layers]
    used = {piece.category.name for layer in every for piece in layer.pieces if piece.unique}
    return NetworkDissectionSection(
        models=found,
        legend=tuple(category for name, category in categories.items() if name in used),
        tested=any(defined(row["q_value"]) for row in rows),
        formulas=any(layer.formulas for layer in every),
        pictures=any(detector.images for layer in every for detector in layer.best),
    )


def _in_order(kinds: Iterable[str]) -> list[str]:
    """Kinds of annotation in the order of the categories that they are, as everywhere in the report."""
    return sorted(dict.fromkeys(kinds), key=lambda kind: CATEGORIES.index(category_of_kind(kind)))


class _Shots:
    """Pictures on which a unit is most active, where the run has named it, too."""

    def __init__(self, run: Run, thumbnails: Thumbnails) -> None:
        self._pictures = UnitPictures(run, thumbnails)
        units = run.table("units").to_pylist()
        self._tops = {(row["model"], row["layer"], row["unit"]): row for row in units}

    def of(self, row: Row) -> tuple[Shot, ...]:
        named = self._tops.get((row["model"], row["layer"], row["unit"]))
        names = (named["top_images"] or ())[:PICTURES] if named else ()
        return tuple(self._pictures.shot(row, name) for name in names)


def _layer(
    name: str, rows: Sequence[Row], categories: Mapping[str, Category], most: int, shots: _Shots | None
) -> DetectorLayer:
    detectors = [row for row in rows if row["detector"]]
    best = _best_units(rows)
    reasons = [row["reason"].split(":")[0] for row in rows if row["reason"]]
    pieces = []
    for kind, category in categories.items():
        inside = [row for row in best if row["category"] == kind]
        count = sum(row["category"] == kind for row in detectors)
        pieces.append(DetectorPiece(category, count, len(inside), len(inside) / most if most else 0.0))
    return DetectorLayer(
        name=name,
        units=len(rows),
        detectors=len(detectors),
        unique=len(best),
        significant=sum(defined(row["q_value"]) and row["q_value"] <= SIGNIFICANT for row in detectors),
        formulas=sum(row["formula"] is not None for row in rows),
        left_out=tuple((reason, reasons.count(reason)) for reason in dict.fromkeys(reasons)),
        pieces=tuple(pieces),
        best=tuple(_detector(row, detectors, categories, shots) for row in best[:SHOWN]),
    )


def _best_units(rows: Iterable[Row]) -> list[Row]:
    """For every concept that is detected the unit with the highest IoU, highest first."""
    best: dict[tuple[str, str], Row] = {}
    for row in sorted((row for row in rows if row["detector"]), key=lambda row: -row["iou"]):
        best.setdefault((row["category"], row["concept"]), row)
    return list(best.values())


def _detector(row: Row, detectors: Iterable[Row], categories: Mapping[str, Category], shots: _Shots | None) -> Detector:
    named = (row["category"], row["concept"])
    return Detector(
        concept=row["concept"],
        category=categories[row["category"]],
        unit=row["unit"],
        units=sum((other["category"], other["concept"]) == named for other in detectors),
        iou=row["iou"],
        q_value=row["q_value"],
        formula=row["formula"],
        heldout_iou=row["heldout_iou"],
        images=shots.of(row) if shots else (),
    )
