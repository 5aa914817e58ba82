"""How the maps of the methods differ in extent and sharpness."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lumiscope.counts import counted
from lumiscope.runs import ImageRow, MapShapeRow
from lumiscope.study.findings.claim import Claim, Rows, answer, by_model
from lumiscope.study.findings.classes import groups_of
from lumiscope.study.findings.extremes import CHOSEN, EXTREME, extreme
from lumiscope.study.findings.registry import finding
from lumiscope.study.findings.titles import method_title

Values = dict[str, dict[str, float]]
"""Method -> image -> value."""


@dataclass(frozen=True)
class _Measure:
    """An end of a column of `map_shapes`. `words`: how sentences call it. `form`: how they write its numbers.

    `bounds`: between which its values lie, where both are known.
    """

    column: str
    highest: bool
    words: str
    form: str
    bounds: tuple[float, float] | None = None

    def of(self, rows: Sequence[MapShapeRow]) -> Values:
        """Of the maps that have it, by the titles of their methods."""
        values: Values = {}
        for row in rows:
            value = getattr(row, self.column)
            if not math.isnan(value):
                values.setdefault(method_title(row.method), {})[row.image] = value
        return values

    def means(self, rows: Sequence[MapShapeRow]) -> dict[str, float]:
        """Method -> its mean over images; the one at the end comes first."""
        means = {name: math.fsum(of_images.values()) / len(of_images) for name, of_images in self.of(rows).items()}
        return dict(sorted(means.items(), key=lambda item: item[1], reverse=self.highest))


@dataclass(frozen=True)
class _Kind:
    """What a method may be more than all others. `most`: after "the". `numbers`: what those of the measure are.

    `measure`: what is tested. `further`: measures of which the means alone are told.
    """

    most: str
    measure: _Measure
    numbers: str
    further: tuple[_Measure, ...]
    meaning: str


EXTENT = "share of the view that holds half of the weight"
FOCUSED = _Kind(
    "most focused",
    _Measure("extent", False, "half of the weight", ".0%", (0, 1)),
    EXTENT,
    (_Measure("entropy", False, "entropy", ".1%"), _Measure("gini", True, "Gini coefficient", ".2f")),
    "its maps name the smallest region, right or wrong",
)
BROADEST = _Kind(
    "broadest",
    _Measure("extent", True, "half of the weight", ".0%", (0, 1)),
    EXTENT,
    (_Measure("entropy", True, "entropy", ".1%"), _Measure("gini", False, "Gini coefficient", ".2f")),
    "small evidence may be lost in its maps",
)
SHARPEST = _Kind(
    "sharpest",
    _Measure("sharpness", True, "sharpness", ".1f"),
    "rise of the map over a width of the view, where it rises",
    (_Measure("contour", True, "length of contours", ".2f"),),
    "a sharp border is no evidence that what the model uses ends there",
)


@finding("focused", order=41, needs=(ImageRow, MapShapeRow))
def focused(tables: Rows) -> Iterator[Claim]:
    """The method whose maps hold half of their weight on the smallest part of the view."""
    yield from _claims(tables, FOCUSED)


@finding("broadest", order=42, needs=(ImageRow, MapShapeRow))
def broadest(tables: Rows) -> Iterator[Claim]:
    """The method whose maps spread furthest."""
    yield from _claims(tables, BROADEST)


@finding("sharpest", order=43, needs=(ImageRow, MapShapeRow))
def sharpest(tables: Rows) -> Iterator[Claim]:
    """The method whose maps have the steepest borders."""
    yield from _claims(tables, SHARPEST)


def _claims(tables: Rows, kind: _Kind) -> Iterator[Claim]:
    for model, rows in by_model(tables.rows(MapShapeRow)).items():
        measure = kind.measure
        end = extreme(measure.of(rows), highest=measure.highest, groups=groups_of(tables), bounds=measure.bounds)
        if end is None:
            continue
        means = measure.means(rows)
        told = f"{kind.numbers}: {', '.join(f'{name} {mean:{measure.form}}' for name, mean in means.items())}"
        few = counted(end.images, "image")
        supported, observed = (_observed(kind, rows, end.name, tested=tested) for tested in (True, False))
        yield Claim(
            answer(
                supported=f"{model}: {end.name} is the {kind.most}: {told}. {supported}",
                undecided=f"{model}: which method is the {kind.most} is not shown: {told}. {observed}",
                cannot_tell=f"{model}: which method is the {kind.most} cannot be told with {few}. {observed}",
                meaning=kind.meaning,
            ),
            hypotheses={end.name: end.test},
            statistic=f"mean {measure.column} of {end.name}",
            value=end.value,
            low=end.low,
            high=end.high,
            test=f"{EXTREME}; {CHOSEN}",
            images=end.images,
            tables="map_shapes",
        )


def _observed(kind: _Kind, rows: Sequence[MapShapeRow], first: str, *, tested: bool) -> str:
    """Whether the means of the further measures name the method that is first by the main one, which is `tested`."""
    same, others = [] if tested else [kind.measure.words], []
    for measure in kind.further:
        means = measure.means(rows)
        leader = next(iter(means))
        if means[first] == means[leader]:
            same.append(measure.words)
        else:
            numbers = f"{means[leader]:{measure.form}}, {first} {means[first]:{measure.form}}"
            others.append(f"{leader} by {measure.words} ({numbers})")
    agreeing = f"{first} by {_joined(same)}{', too' if tested else ''}" if same else ""
    return f"Observed, not tested: first by their means is {', but '.join(filter(None, [agreeing, _joined(others)]))}."


def _joined(parts: Sequence[str]) -> str:
    """With commas, and "and" before the last."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
