"""How far the explanations can be believed."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lumiscope.attribution import METHODS as ATTRIBUTIONS
from lumiscope.counts import counted
from lumiscope.runs import ImageRow, Reliability, TrustMetricRow, TrustRow, TrustSummaryRow
from lumiscope.study.findings import floors
from lumiscope.study.findings.claim import Claim, Decision, Hypothesis, Rows, Sentence, answer, by_model, observed
from lumiscope.study.findings.classes import groups_of
from lumiscope.study.findings.extremes import BEHIND, CHOSEN, EXTREME, behind_the_first, extreme
from lumiscope.study.findings.registry import finding
from lumiscope.study.findings.titles import method_title
from lumiscope.trust import METRICS

FAITHFUL = "abpc"
"""The faithfulness number of reports: of the cheap ones, that which follows true effects best; see docs/trust.md."""
LOCALISED = "energy"
NEEDS = (ImageRow, TrustRow, TrustSummaryRow)


@dataclass(frozen=True)
class _Question:
    """What is asked of all methods. `leads`: what the first one does. `meaning`: of that.

    `asks`: what a reader wants who should choose by it. `behind`: what the others are shown to be.
    """

    metric: str
    leads: str
    meaning: str
    asks: str
    behind: str

    @property
    def title(self) -> str:
        """The metric's, as it stands within a sentence."""
        title = METRICS[self.metric].title
        return title[0].lower() + title[1:]


MOST_FAITHFUL = _Question(
    FAITHFUL,
    "is the most faithful to the model",
    "ask it first what the prediction rests on, among these methods",
    asks="to see what predictions rest on",
    behind="less faithful to the model",
)
BEST_PLACED = _Question(
    LOCALISED,
    "lies best on the object",
    "that is where people look; a model that uses the surroundings should fail here",
    asks="to find the object",
    behind="less on the object",
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
    groups = groups_of(tables)
    for model, values in _values(tables, question.metric).items():
        titled = {method_title(name): of for name, of in values.items()}
        end = extreme(titled, highest=METRICS[question.metric].direction == "higher", groups=groups)
        if end is None:
            continue
        told = f"{question.title} {_means(titled)}"
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


@finding("choice_for_reasons", order=36, needs=NEEDS)
def choice_for_reasons(tables: Rows) -> Iterator[Claim]:
    """Which methods to use to see what predictions rest on."""
    yield from _choice(tables, MOST_FAITHFUL)


@finding("choice_for_places", order=37, needs=NEEDS)
def choice_for_places(tables: Rows) -> Iterator[Claim]:
    """Which methods to use to find the object."""
    yield from _choice(tables, BEST_PLACED)


def _choice(tables: Rows, question: _Question) -> Iterator[Claim]:
    """Methods that are shown to be behind the first one are no choice; it must beat maps that know nothing itself."""
    groups = groups_of(tables)
    beside_nothing = {
        (row.model, row.method): row.p_value for row in tables.rows(TrustSummaryRow) if row.metric == question.metric
    }
    highest = METRICS[question.metric].direction == "higher"
    for model, values in _values(tables, question.metric).items():
        rivals = behind_the_first(values, highest=highest, groups=groups)
        if rivals is None:
            continue
        first, tests = rivals
        knows = beside_nothing.get((model, first), math.nan)
        told = _means({method_title(name): of for name, of in values.items()})
        images = min(len(of) for of in values.values())
        mean = math.fsum(values[first].values()) / len(values[first])
        yield Claim(
            answer(
                supported=functools.partial(_chosen, model, question, list(values), told),
                undecided=f"{model}: {question.asks}, no method is shown to be the worse choice ({question.title}).",
                cannot_tell=f"{model}: {question.asks}, which methods are the worse choice cannot be told with "
                f"{counted(images, 'image')} ({question.title}).",
                meaning="those left are chosen by what they cost",
                otherwise="the cheapest is as good a choice as any",
            ),
            hypotheses={
                name: replace(test, p_value=math.nan if math.isnan(knows) else max(test.p_value, knows))
                for name, test in tests.items()
            },
            statistic=f"mean {question.title} of {method_title(first)}",
            value=mean,
            test=f"{BEHIND}; {method_title(first)} is above maps that know nothing, too (the largest p-value counts)",
            images=images,
            tables="trust, trust_summary",
        )


def _chosen(model: str, question: _Question, names: Sequence[str], told: str, behind: Sequence[str]) -> str:
    left = [name for name in names if name not in behind]
    cheap = [name for name in left if name in ATTRIBUTIONS and not ATTRIBUTIONS[name].perturbs]
    cheaper = f" Of these {_all_of(cheap)} takes few passes." if cheap and len(cheap) < len(left) else ""
    worse = f"{_all_of(behind)} {'is' if len(behind) == 1 else 'are'} shown to be {question.behind}"
    return f"{model}: {question.asks}, use {_all_of(left, 'or')}: {worse} ({question.title}: {told}).{cheaper}"


def _all_of(names: Sequence[str], last: str = "and") -> str:
    *others, end = map(method_title, names)
    return f"{', '.join(others)} {last} {end}" if others else end


def _values(tables: Rows, metric: str) -> dict[str, dict[str, dict[str, float]]]:
    """Model -> method -> image -> what it scores, where that can be told."""
    values: dict[str, dict[str, dict[str, float]]] = {}
    for row in tables.rows(TrustRow):
        if row.metric == metric and row.value is not None and not row.baseline:
            values.setdefault(row.model, {}).setdefault(row.method, {})[row.image] = row.value
    return values


def _means(values: Mapping[str, Mapping[str, float]]) -> str:
    return ", ".join(f"{name} {math.fsum(of.values()) / len(of):.2f}" for name, of in values.items())


@finding("metrics_that_hold", order=38, needs=(TrustMetricRow,))
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
