"""The detectors of one layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lumiscope.counts import counted
from lumiscope.report.numbers import defined
from lumiscope.report.parts.category import Category
from lumiscope.report.parts.stacked_bar import Piece, StackedBar
from lumiscope.report.unit_pictures import UnitPicture
from lumiscope.runs import NetworkDissectionRow, Reason

SIGNIFICANT = 0.05
SHOWN = 30  # concepts a layer; the table of the run has all
NUMBERED_SHARE = 0.08  # of the widest bar; narrower pieces have no room for a number


@dataclass(frozen=True)
class Detector:
    """The unit that detects a concept best. `units`: how many detect it. `pictures`: where the unit is most active."""

    row: NetworkDissectionRow
    category: Category
    units: int
    pictures: tuple[UnitPicture, ...]


@dataclass(frozen=True)
class CategoryCounts:
    """Detectors of one category: how many units, and how many concepts they detect."""

    units: int
    concepts: int


@dataclass(frozen=True)
class DetectorLayer:
    """One layer: its counts, its bar, and the best detector of each concept, best first, `SHOWN` at most.

    `concepts`: how many are detected. `significant`: detectors whose q-value is at most `SIGNIFICANT`. `formulas`:
    units that a formula explains. `left_out`: units without a threshold, by reason.
    """

    name: str
    units: int
    detectors: int
    concepts: int
    significant: int
    formulas: int
    left_out: Mapping[Reason, int]
    counts: Mapping[Category, CategoryCounts]
    bar: StackedBar
    best: tuple[Detector, ...]


def detector_layer(
    layer: str,
    rows: Sequence[NetworkDissectionRow],
    categories: Mapping[str, Category],
    most: int,
    pictures: Callable[[NetworkDissectionRow], tuple[UnitPicture, ...]],
) -> DetectorLayer:
    """One layer of one model. `most`: concepts of the layer with the most, whose bar is full. `pictures`: of a unit."""
    detectors = [row for row in rows if row.detector]
    unique = unique_detectors(rows)
    units_of = Counter((row.category, row.concept) for row in detectors)
    counts = {
        category: CategoryCounts(
            sum(row.category == kind for row in detectors), sum(row.category == kind for row in unique)
        )
        for kind, category in categories.items()
    }

    return DetectorLayer(
        name=layer,
        units=len(rows),
        detectors=len(detectors),
        concepts=len(unique),
        significant=sum(defined(row.q_value) and row.q_value <= SIGNIFICANT for row in detectors),
        formulas=sum(row.formula is not None for row in rows),
        left_out=Counter(row.reason for row in rows if row.reason is not None),
        counts=counts,
        bar=_bar(layer, counts, most),
        best=tuple(
            Detector(row, categories[row.category or ""], units_of[row.category, row.concept], pictures(row))
            for row in unique[:SHOWN]
        ),
    )


def unique_detectors(rows: Iterable[NetworkDissectionRow]) -> list[NetworkDissectionRow]:
    """For every concept that is detected the unit with the highest IoU, highest first."""
    best: dict[tuple[str | None, str | None], NetworkDissectionRow] = {}
    for row in sorted((row for row in rows if row.detector), key=lambda row: -row.iou):
        best.setdefault((row.category, row.concept), row)
    return list(best.values())


def _bar(layer: str, counts: Mapping[Category, CategoryCounts], most: int) -> StackedBar:
    used = {category: count for category, count in counts.items() if count.concepts}
    label = ", ".join(f"{category.name} {count.concepts}" for category, count in used.items())
    pieces = []
    for category, count in used.items():
        width = count.concepts / most
        title = f"{category.name}: {counted(count.concepts, 'concept')}, {counted(count.units, 'unit')}"
        pieces.append(Piece(category, width, str(count.concepts) if width >= NUMBERED_SHARE else "", title))
    return StackedBar(f"{layer}: {label or 'no detectors'}", tuple(pieces))
