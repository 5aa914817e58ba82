"""How the maps of the methods differ in extent and sharpness."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lumiscope.runs import ImageRow, MapShapeRow
from lumiscope.study.findings.claim import Claim, Rows, answer, by_model
from lumiscope.study.findings.classes import groups_of
from lumiscope.study.findings.extremes import EXTREME, extreme
from lumiscope.study.findings.registry import finding
from lumiscope.study.findings.titles import method_title


@dataclass(frozen=True)
class _Kind:
    """An end of a quantity. `column`: of the table. `most`: what the method at that end is, after "the"."""

    column: str
    highest: bool
    most: str
    meaning: str


FOCUSED = _Kind("extent", False, "most focused", "its maps name the smallest region, right or wrong")
BROADEST = _Kind("extent", True, "broadest", "small evidence may be lost in its maps")
SHARPEST = _Kind("sharpness", True, "sharpest", "such borders are drawn by the method as much as by the model")


@finding("focused", order=40, needs=(ImageRow, MapShapeRow))
def focused(tables: Rows) -> Iterator[Claim]:
    """The method whose maps hold half of their weight on the smallest part of the view."""
    yield from _claims(tables, FOCUSED)


@finding("broadest", order=41, needs=(ImageRow, MapShapeRow))
def broadest(tables: Rows) -> Iterator[Claim]:
    """The method whose maps spread furthest."""
    yield from _claims(tables, BROADEST)


@finding("sharpest", order=42, needs=(ImageRow, MapShapeRow))
def sharpest(tables: Rows) -> Iterator[Claim]:
    """The method whose maps have the steepest borders."""
    yield from _claims(tables, SHARPEST)


def _claims(tables: Rows, kind: _Kind) -> Iterator[Claim]:
    for model, rows in by_model(tables.rows(MapShapeRow)).items():
        values: dict[str, dict[str, float]] = {}
        for row in rows:
            value = getattr(row, kind.column)
            if not math.isnan(value):
                values.setdefault(method_title(row.method), {})[row.image] = value
        end = extreme(values, highest=kind.highest, groups=groups_of(tables))
        if end is None:
            continue
        means = {name: math.fsum(of.values()) / len(of) for name, of in values.items()}
        ordered = sorted(means, key=lambda name: means[name], reverse=kind.highest)
        told = _told({name: means[name] for name in ordered}, kind)
        yield Claim(
            answer(
                supported=f"{model}: {end.name} is the {kind.most}: {told}.",
                undecided=f"{model}: which method is the {kind.most} is not shown: {told}.",
                cannot_tell=f"{model}: which method is the {kind.most} cannot be told with {end.images} images.",
                meaning=kind.meaning,
            ),
            hypotheses={end.name: end.test},
            statistic=f"mean {kind.column} of {end.name}",
            value=end.value,
            test=EXTREME,
            images=end.images,
            tables="map_shapes",
        )


def _told(means: dict[str, float], kind: _Kind) -> str:
    if kind.column == "extent":
        numbers = ", ".join(f"{name} {mean:.0%}" for name, mean in means.items())
        return f"share of the view that holds half of the weight: {numbers}"
    numbers = ", ".join(f"{name} {mean:.1f}" for name, mean in means.items())
    return f"rise of the map over a width of the view, where it rises: {numbers}"
