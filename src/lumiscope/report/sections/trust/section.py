"""How far the explanations can be believed: metrics beside maps that know nothing, and curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lumiscope.report.numbers import defined
from lumiscope.report.page import Page
from lumiscope.report.registry import section
from lumiscope.runs import EffectRow, RandomisationRow, TrustCurveRow, TrustMetricRow, TrustRow, TrustSummaryRow

WIDTH, HEIGHT = 100.0, 60.0  # of a figure of curves
LOWEST, HIGHEST = -0.25, 1.25  # normalised logits that it shows
EFFECTS = 12  # things that are listed
BETWEEN = "abpc"  # the metric that is the area between the curves shown
COMPARED = "centred"  # the baseline whose curves stand behind a method's


@dataclass(frozen=True)
class MetricLine:
    """One metric of one model. `scores`: (method or baseline) -> its row, the methods first."""

    metric: TrustMetricRow
    scores: dict[str, TrustSummaryRow]


@dataclass(frozen=True)
class Figure:
    """The curves of one method as the points of an SVG of 100 by 60: mean, and band of its interval; `behind`: means of
    the centred map."""

    title: str
    images: int
    insertion: str
    deletion: str
    insertion_band: str
    deletion_band: str
    behind: tuple[str, ...]
    between: float


@dataclass(frozen=True)
class Strip:
    """One method: how alike its maps are with random parameters, or for another class."""

    title: str
    row: RandomisationRow

    @property
    def band(self) -> tuple[float, float] | None:
        """Where the interval begins and how wide it is drawn; None where there is none."""
        return (self.row.low, max(self.row.high - self.row.low, 0.01)) if defined(self.row.low) else None

    @property
    def marks(self) -> list[tuple[float, str]]:
        """The numbers that there are, and what each is."""
        marks = [(self.row.chance, "others"), (self.row.ceiling, "ceiling"), (self.row.similarity, "value")]
        return [(place, kind) for place, kind in marks if defined(place)]


@dataclass(frozen=True)
class ThingEffect:
    """A thing in the pictures of the world. `mean`: of its true effects over `images`."""

    thing: str
    kind: str
    images: int
    mean: float


@dataclass(frozen=True)
class ModelTrust:
    """One model. `columns`: (name, title, baseline) of methods and baselines. `effects`: the largest ones."""

    model: str
    columns: tuple[tuple[str, str, bool], ...]
    lines: tuple[MetricLine, ...]
    figures: tuple[Figure, ...]
    strips: tuple[Strip, ...]
    effects: tuple[ThingEffect, ...]

    @property
    def doubted(self) -> tuple[TrustMetricRow, ...]:
        """The metrics that say something only with care."""
        return tuple(line.metric for line in self.lines if line.metric.caution)


@section(
    "trust",
    title="Trust",
    order=62,
    needs=(TrustSummaryRow, TrustMetricRow, TrustCurveRow, TrustRow, RandomisationRow, EffectRow),
)
def trust(page: Page) -> tuple[ModelTrust, ...]:
    """Means of `trust_summary` with the marks of `trust_metrics`, `trust_curves`, `randomisation` and `effects`."""
    models = [row.model for row in page.run.rows(TrustSummaryRow)]
    models += [row.model for row in page.run.rows(RandomisationRow)]
    return tuple(_of_model(page, model) for model in dict.fromkeys(models))


def _of_model(page: Page, model: str) -> ModelTrust:
    rows = [row for row in page.run.rows(TrustSummaryRow) if row.model == model]
    names = sorted(dict.fromkeys((row.method, row.baseline) for row in rows), key=lambda name: name[1])
    columns = tuple((name, name if baseline else page.method_title(name), baseline) for name, baseline in names)
    lines = tuple(
        MetricLine(metric, {row.method: row for row in rows if row.metric == metric.metric})
        for metric in page.run.rows(TrustMetricRow)
        if metric.model == model
    )
    strips = tuple(
        Strip(page.method_title(row.method), row) for row in page.run.rows(RandomisationRow) if row.model == model
    )
    return ModelTrust(model, columns, lines, _figures(page, model), strips, _effects(page, model))


def _effects(page: Page, model: str) -> tuple[ThingEffect, ...]:
    things: dict[tuple[str, str], list[float]] = {}
    for row in page.run.rows(EffectRow):
        if row.model == model:
            things.setdefault((row.thing, row.kind), []).append(row.effect)
    means = [ThingEffect(thing, kind, len(of), sum(of) / len(of)) for (thing, kind), of in things.items()]
    return tuple(sorted(means, key=lambda effect: -abs(effect.mean))[:EFFECTS])


def _figures(page: Page, model: str) -> tuple[Figure, ...]:
    curves: dict[str, dict[bool, list[TrustCurveRow]]] = {}
    for row in page.run.rows(TrustCurveRow):
        if row.model == model:
            curves.setdefault(row.method, {}).setdefault(row.shown, []).append(row)
    summary = page.run.rows(TrustSummaryRow)
    between = {row.method: row.mean for row in summary if (row.model, row.metric) == (model, BETWEEN)}
    behind = tuple(_points([(row.share, row.mean) for row in of]) for of in curves.get(COMPARED, {}).values())
    figures = []
    for name, of_method in curves.items():
        shown, hidden = of_method[True], of_method[False]
        if shown[0].baseline:
            continue
        figures.append(
            Figure(
                page.method_title(name),
                shown[0].images,
                insertion=_points([(row.share, row.mean) for row in shown]),
                deletion=_points([(row.share, row.mean) for row in hidden]),
                insertion_band=_band(shown),
                deletion_band=_band(hidden),
                behind=behind,
                between=between.get(name, math.nan),
            )
        )
    return tuple(figures)


def _band(rows: Sequence[TrustCurveRow]) -> str:
    """Along the upper ends of the intervals, and back along the lower ones; "" where there are none."""
    known = [row for row in rows if defined(row.low) and defined(row.high)]
    return _points([(row.share, row.high) for row in known] + [(row.share, row.low) for row in reversed(known)])


def _points(places: Sequence[tuple[float, float]]) -> str:
    def height(score: float) -> float:
        kept = min(max(score, LOWEST), HIGHEST)
        return HEIGHT * (HIGHEST - kept) / (HIGHEST - LOWEST)

    return " ".join(f"{WIDTH * share:.1f},{height(score):.1f}" for share, score in places)
