"""How far the explanations can be believed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lumiscope.counts import counted
from lumiscope.runs import ImageRow, Reliability, TrustMetricRow, TrustRow, TrustSummaryRow
from lumiscope.study.findings import floors
from lumiscope.study.findings.claim import Claim, Decision, Hypothesis, Rows, Sentence, answer, by_model, observed
from lumiscope.study.findings.classes import groups_of
from lumiscope.study.findings.extremes import CHOSEN, EXTREME, extreme
from lumiscope.study.findings.registry import finding
from lumiscope.study.findings.titles import method_title
from lumiscope.trust import METRICS

FAITHFUL = "abpc"
"""The faithfulness number of reports: of the cheap ones, that which follows true effects best; see docs/trust.md."""
LOCALISED = "energy"
NEEDS = (ImageRow, TrustRow, TrustSummaryRow)


@dataclass(frozen=True)
class _Question:
    """What is asked of all methods. `leads`: what the first one does. `meaning`: of the answer."""

    metric: str
    leads: str
    meaning: str

    @property
    def title(self) -> str:
        """The metric's, as it stands within a sentence."""
        title = METRICS[self.metric].title
        return title[0].lower() + title[1:]


MOST_FAITHFUL = _Question(
    FAITHFUL, "is the most faithful to the model", "ask it first what the prediction rests on, among these methods"
)
BEST_PLACED = _Question(
    LOCALISED,
    "lies best on the object",
    "that is where people look; a model that uses the surroundings should fail here",
)


@finding("beyond_baseline", order=33, needs=NEEDS)
def beyond_baseline(tables: Rows) -> Iterator[Claim]:
    """Which methods are more faithful than maps that know nothing."""
    groups = groups_of(tables)
    images: dict[tuple[str, str], list[str]] = {}
    for row in tables.rows(TrustRow):
        if row.metric == FAITHFUL and row.value is not None:
            images.setdefault((row.model, row.method), []).append(row.image)
    for model, rows in by_model(tables.rows(TrustSummaryRow)).items():
        methods = [row for row in rows if row.metric == FAITHFUL and not row.baseline and not math.isnan(row.p_value)]
        if not methods:
            continue
        tests = {
            method_title(row.method): Hypothesis(
                row.p_value, groups.witnesses(images[model, row.method]), floors.sign_flips
            )
            for row in methods
        }
        told = {method_title(row.method): f"{row.mean:.2f}" for row in methods}
        hardest = max(methods, key=lambda row: row.null_mean)
        null = f"maps that know nothing (of these {hardest.null} has the most, {hardest.null_mean:.2f})"
        yield Claim(
            _beyond(model, told, null, counted(min(row.images for row in methods), "image")),
            hypotheses=tests,
            statistic=f"mean {MOST_FAITHFUL.title} of {methods[0].method}",
            value=methods[0].mean,
            low=methods[0].low,
            high=methods[0].high,
            test="paired sign-flip test and Student's corrected for skewness, one-sided, against each baseline (the "
            "largest p-value counts)",
            images=min(row.images for row in methods),
            tables="trust, trust_summary",
        )


def _beyond(model: str, told: dict[str, str], null: str, few: str) -> Callable[[Decision], Sentence]:
    everyone = ", ".join(f"{name} {number}" for name, number in told.items())
    title = MOST_FAITHFUL.title

    def supported(shown: list[str]) -> str:
        named = ", ".join(f"{name} {told[name]}" for name in shown)
        others = [name for name in told if name not in shown]
        rest = f" Of {', '.join(others)} that is not shown." if others else ""
        return f"{model}: more faithful than {null} by the {title}: {named}.{rest}"

    return answer(
        supported=supported,
        undecided=f"{model}: that any method is more faithful than {null} is not shown ({title}): {everyone}.",
        cannot_tell=f"{model}: whether the methods are more faithful than {null} cannot be told with {few} ({title}).",
        meaning="the model's score falls with what these maps name",
    )


@finding("most_faithful", order=34, needs=NEEDS)
def most_faithful(tables: Rows) -> Iterator[Claim]:
    """Which method is the most faithful."""
    yield from _ahead(tables, MOST_FAITHFUL)


@finding("best_placed", order=35, needs=NEEDS)
def best_placed(tables: Rows) -> Iterator[Claim]:
    """Which method localises best."""
    yield from _ahead(tables, BEST_PLACED)


def _ahead(tables: Rows, question: _Question) -> Iterator[Claim]:
    metric = METRICS.get(question.metric)
    if metric is None:
        return
    groups = groups_of(tables)
    for model, rows in by_model(row for row in tables.rows(TrustRow) if row.metric == question.metric).items():
        values: dict[str, dict[str, float]] = {}
        for row in rows:
            if row.value is not None and not row.baseline:
                values.setdefault(method_title(row.method), {})[row.image] = row.value
        end = extreme(values, highest=metric.direction == "higher", groups=groups)
        if end is None:
            continue
        means = {name: math.fsum(of.values()) / len(of) for name, of in values.items()}
        told = f"{question.title} {', '.join(f'{name} {mean:.2f}' for name, mean in means.items())}"
        yield Claim(
            answer(
                supported=f"{model}: {end.name} {question.leads}: {told}.",
                undecided=f"{model}: which method {question.leads} is not shown: {told}.",
                cannot_tell=f"{model}: which method {question.leads} cannot be told with "
                f"{counted(end.images, 'image')}: {told}.",
                meaning=question.meaning,
            ),
            hypotheses={end.name: end.test},
            statistic=f"mean {question.title} of {end.name}",
            value=end.value,
            low=end.low,
            high=end.high,
            test=f"{EXTREME}; {CHOSEN}",
            images=end.images,
            tables="trust, trust_summary",
        )


@finding("metrics_that_hold", order=36, needs=(TrustMetricRow,))
def metrics_that_hold(tables: Rows) -> Iterator[Claim]:
    """Which numbers mean something on these images."""
    for model, rows in by_model(tables.rows(TrustMetricRow)).items():
        tried = [row for row in rows if row.images]
        if not tried:
            continue
        kinds = {kind: [row for row in tried if row.reliability is kind] for kind in Reliability}
        parts = [
            f"{words} {_titles(kinds[kind])}"
            for kind, words in (
                (Reliability.HOLDS, "yes by"),
                (Reliability.WEAK, "less often by"),
                (Reliability.MEANINGLESS, "hardly by"),
                (Reliability.UNKNOWN, "not shown by"),
            )
            if kinds[kind]
        ]
        few = counted(max(row.images for row in tried), "image")
        yield Claim(
            observed(
                f"{model}: does a map score worse the more noise is mixed into it? Tried on {few}, {'; '.join(parts)}.",
                "numbers that do not notice noise say nothing here"
                if kinds[Reliability.MEANINGLESS]
                else "a number must notice noise to be worth reading, and may be wrong all the same",
            ),
            statistic="trust metrics that notice noise",
            value=len(kinds[Reliability.HOLDS]) / len(tried),
            images=max(row.images for row in tried),
            tables="trust_metrics",
        )


def _titles(rows: Sequence[TrustMetricRow]) -> str:
    return ", ".join(row.title[0].lower() + row.title[1:] for row in rows)
