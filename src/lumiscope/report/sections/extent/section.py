"""How far the maps of each method extend, how sharp they are, and whether models look at the same places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lumiscope.report.numbers import defined
from lumiscope.report.page import Page
from lumiscope.report.registry import section
from lumiscope.runs import MapShapeRow, MethodDifferenceRow, MethodRankRow, ModelAgreementRow

MEASURES = ("extent", "entropy", "gini", "contour", "sharpness", "inside", "covered")
MEASURE_NAMES = {
    "extent": "half of the weight",
    "sharpness": "sharpness",
    "inside": "on the object",
    "truth": "IoU with the true mask",
}


@dataclass(frozen=True)
class Shape:
    """One method for one model. `means`: measure -> its mean over the maps that have it, NaN where none has."""

    model: str
    method: str
    images: int
    means: dict[str, float]


@dataclass(frozen=True)
class Ranked:
    """One method by one measure. `shares`: of resamples of the images with each rank, the first the highest mean.

    `reason`: why there are none; "" where there are.
    """

    model: str
    measure: str
    method: str
    mean: float
    shares: tuple[float, ...]
    reason: str


@dataclass(frozen=True)
class Extent:
    """What the section shows. `has_truth`: whether any number is about true masks. `models`: pairs of them.

    `ranks`: of the methods by each measure.
    """

    shapes: tuple[Shape, ...]
    has_truth: bool
    models: tuple[tuple[str, ModelAgreementRow], ...]
    ranks: tuple[Ranked, ...]


@section(
    "extent",
    title="Extent and sharpness",
    order=61,
    needs=(MapShapeRow, ModelAgreementRow, MethodDifferenceRow, MethodRankRow),
    link="Extent",
)
def extent(page: Page) -> Extent:
    """Means over the images from `map_shapes`, and the pairs of models from `model_agreement`."""
    groups: dict[tuple[str, str], list[MapShapeRow]] = {}
    for row in page.run.rows(MapShapeRow):
        groups.setdefault((row.model, row.method), []).append(row)
    shapes = tuple(_shape(model, page.method_title(method), rows) for (model, method), rows in groups.items())
    pairs = tuple((page.method_title(row.method), row) for row in page.run.rows(ModelAgreementRow))
    return Extent(shapes, any(defined(shape.means["inside"]) for shape in shapes), pairs, _ranks(page))


def _ranks(page: Page) -> tuple[Ranked, ...]:
    groups: dict[tuple[str, str, str], list[MethodRankRow]] = {}
    for row in page.run.rows(MethodRankRow):
        groups.setdefault((row.model, row.measure, row.method), []).append(row)
    return tuple(
        Ranked(model, MEASURE_NAMES[measure], page.method_title(method), rows[0].mean,
               tuple(row.share for row in rows), rows[0].reason)
        for (model, measure, method), rows in groups.items()
    )  # fmt: skip


def _shape(model: str, title: str, rows: Sequence[MapShapeRow]) -> Shape:
    seen = [row for row in rows if defined(row.extent)]
    return Shape(model, title, len(seen), {name: _mean([getattr(row, name) for row in seen]) for name in MEASURES})


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if defined(value)]
    return math.fsum(known) / len(known) if known else math.nan
