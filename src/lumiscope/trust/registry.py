"""Metrics of explanations by name. A new one is a module in `metrics/` with a function under `@trust_metric`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lumiscope.registry import Registry
from lumiscope.trust.candidates import Candidate, Score
from lumiscope.trust.judged_view import JudgedView

Measure: TypeAlias = Callable[[JudgedView, Sequence[Candidate]], Sequence[Score]]
Property = Literal[
    "correctness",
    "completeness",
    "consistency",
    "continuity",
    "contrastivity",
    "covariate complexity",
    "compactness",
    "composition",
    "confidence",
    "context",
    "coherence",
    "controllability",
]
"""The twelve properties of explanations of Nauta et al. 2023, From Anecdotal Evidence to Quantitative Evaluation."""
Verdict = Literal["sound", "with care", "misleading alone"]
Need = Literal["truth", "effects", "explainer"]
"""What a metric needs besides the model's answers: a true mask; true effects; the method itself, to explain again."""


@dataclass(frozen=True)
class TrustMetric:
    """A number that says how far an explanation can be believed.

    `property`: which of the twelve it measures. `direction`: which way is good. `range`: the lowest and highest value;
    None: no bound. `needs`: without which it is undefined. `null`: the baseline whose values are those of a map that
    knows nothing, see `BASELINES`. `verdict`: ours, and `caution`: the reason in a sentence. `by_default`: whether it
    is measured when nobody names metrics. `draws_curves`: whether it is an area under `curves_of`. `measure`: scores
    maps of one view, each by itself.
    """

    name: str
    title: str
    citation: str
    property: Property
    direction: Literal["higher", "lower"]
    range: tuple[float | None, float | None]
    needs: frozenset[Need]
    null: str
    verdict: Verdict
    caution: str
    by_default: bool
    draws_curves: bool
    measure: Measure


METRICS: Registry[TrustMetric] = Registry("metric", package="lumiscope.trust.metrics", group="lumiscope.metrics")
"""Every metric by name."""


def trust_metric(
    name: str,
    *,
    title: str,
    citation: str,
    property: Property,
    direction: Literal["higher", "lower"] = "higher",
    range: tuple[float | None, float | None] = (None, None),
    needs: Sequence[Need] = (),
    null: str = "random",
    verdict: Verdict = "sound",
    caution: str = "",
    by_default: bool = False,
    draws_curves: bool = False,
) -> Callable[[Measure], Measure]:
    """Register the decorated function as the metric `name`; see `TrustMetric`."""

    def register(measure: Measure) -> Measure:
        metric = TrustMetric(
            name, title, citation, property, direction, range, frozenset(needs), null, verdict, caution, by_default,
            draws_curves, measure,
        )  # fmt: skip
        METRICS.register(name, metric, defined_by=measure)
        return measure

    return register


def default_metrics() -> list[str]:
    """The metrics that are measured when nobody names any."""
    return [name for name, metric in METRICS.items() if metric.by_default]
