"""Metrics of explanations by name. A new one is a module in `metrics/` with one class under `@trust_metric`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from lumiscope.attribution import PreparedBatch
from lumiscope.registry import Registry
from lumiscope.types import BoolArray, Target


class MaskJudge(Protocol):
    """Judges masks of one picture."""

    def of(self, masks: Sequence[BoolArray]) -> list[float]:
        """The value of each mask, (H, W) bool on the view."""
        ...


Metric = TypeVar("Metric", bound=Callable[[PreparedBatch, Target], MaskJudge])


@dataclass(frozen=True)
class TrustMetric:
    """A number that says how far an explanation can be believed.

    `judge`: from a batch of one picture and the target to what judges masks of it. `better`: which way is good.
    `low`, `high`: what the values lie between; None: no bound.
    """

    name: str
    title: str
    citation: str
    better: Literal["higher", "lower"]
    low: float | None
    high: float | None
    judge: Callable[[PreparedBatch, Target], MaskJudge]


METRICS: Registry[TrustMetric] = Registry("metric", package="lumiscope.trust.metrics", group="lumiscope.metrics")
"""Every metric by name."""


def trust_metric(
    name: str,
    *,
    title: str,
    citation: str,
    better: Literal["higher", "lower"],
    low: float | None = None,
    high: float | None = None,
) -> Callable[[Metric], Metric]:
    """Register the decorated class, or function, as the metric `name`; see `TrustMetric`."""

    def register(judge: Metric) -> Metric:
        METRICS.register(name, TrustMetric(name, title, citation, better, low, high, judge), defined_by=judge)
        return judge

    return register
