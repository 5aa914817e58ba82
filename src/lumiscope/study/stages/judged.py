"""What maps score, image by image; and the rows of the tables that follow from it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from lumiscope.runs import ImageGroups, Reliability, TrustCurveRow, TrustMetricRow, TrustRow, TrustSummaryRow
from lumiscope.statistics import mean_interval, mean_test
from lumiscope.trust import (
    BASELINES,
    METRICS,
    Candidate,
    Curves,
    JudgedView,
    Score,
    TrueEffects,
    TrustMetric,
    Undefined,
    baseline_maps,
    curves_of,
    degraded,
    effect_map,
    try_metric,
)

CURVES = "curves"
TRUE_EFFECT = "true effect"
POINTS = 21  # of a mean curve
Measured: TypeAlias = Score | Curves
Values = Mapping[str, Mapping[str, float]]
"""Method or baseline -> image -> score, where it can be told."""


@dataclass(frozen=True)
class Judged:
    """One image of one model. `scores`: metric -> method or baseline -> score. `curves`: of each, where there are any.

    `ladders`: metric -> the scores of one method's map, of the map with more and more noise, and last upside down.
    `truest`: metric -> the score of the map of true effects, where these are known.
    """

    image: str
    scores: Mapping[str, Mapping[str, Score]]
    ladders: Mapping[str, Sequence[Score]] = field(default_factory=dict)
    truest: Mapping[str, Score] = field(default_factory=dict)
    curves: Mapping[str, Curves] = field(default_factory=dict)


def to_judge(
    maps: Sequence[Candidate], worsened: str | None, size: tuple[int, int], seed: int
) -> tuple[list[Candidate], list[Candidate]]:
    """Maps of a view with baselines; and the `worsened` one with maps that are worse, none where it is undefined.

    A method that has the name of a baseline is one, and is judged as that.
    """
    maps = [candidate for candidate in maps if not is_baseline(candidate.name)]
    ladder = [candidate for candidate in maps if candidate.name == worsened and not candidate.blank]
    return [*maps, *baseline_maps(size, seed)], [*ladder, *(degraded(ladder[0], seed) if ladder else [])]


def measure(what: str, view: JudgedView, candidates: Sequence[Candidate]) -> Sequence[Measured]:
    """What maps of a view score on a metric, or their curves."""
    return curves_of(view, candidates) if what == CURVES else METRICS[what].measure(view, candidates)


def with_curves(metrics: Sequence[str]) -> list[str]:
    """The metrics, and the curves, where one of the metrics is an area under these."""
    return [*metrics, CURVES] if any(METRICS[name].draws_curves for name in metrics) else [*metrics]


def true_effect(effects: TrueEffects, size: tuple[int, int]) -> Candidate:
    """The map that is right, as a known extreme."""
    return Candidate(TRUE_EFFECT, effect_map(effects, size))


def judged(
    image: str, measured: Mapping[str, Mapping[str, Measured]], shown: Sequence[Candidate], ladder: Sequence[Candidate]
) -> Judged:
    """What was measured of an image. `shown`: methods and baselines; `ladder`: a map and what was made of it."""
    names, steps = {candidate.name for candidate in shown}, [candidate.name for candidate in ladder]
    scores: dict[str, dict[str, Score]] = {}
    curves: dict[str, Curves] = {}
    ladders: dict[str, list[Score]] = {}
    truest: dict[str, Score] = {}
    for what, results in measured.items():
        told = {name: result for name, result in results.items() if not isinstance(result, Curves)}
        curves |= {name: result for name, result in results.items() if isinstance(result, Curves)}
        if what == CURVES:
            continue
        scores[what] = {name: score for name, score in told.items() if name in names}
        if steps and told.keys() >= set(steps):
            ladders[what] = [told[name] for name in steps]
        if TRUE_EFFECT in told:
            truest[what] = told[TRUE_EFFECT]
    return Judged(image, scores, ladders, truest, curves)


def is_baseline(name: str) -> bool:
    """Whether a candidate is a map that knows nothing."""
    return name in BASELINES


def trust_rows(model: str, images: Sequence[Judged], groups: ImageGroups, seed: int) -> dict[type[Any], list[Any]]:
    """The rows of one model: scores, their means, curves, and whether the metrics mean anything."""
    rows: dict[type[Any], list[Any]] = {TrustRow: list(_rows(model, images))}
    rows |= {TrustSummaryRow: [], TrustMetricRow: [], TrustCurveRow: list(_curves(model, images, groups, seed))}
    for name, values in _values(images).items():
        metric = METRICS[name]
        measured = sum(name in judged.scores for judged in images)
        rows[TrustSummaryRow] += _summary(model, metric, values, measured, groups, seed)
        rows[TrustMetricRow].append(_trial(model, metric, values, images, groups, seed))
    return rows


def _rows(model: str, images: Sequence[Judged]) -> Iterator[TrustRow]:
    for judged in images:
        for metric, scores in judged.scores.items():
            for name, score in scores.items():
                yield TrustRow(
                    model=model,
                    image=judged.image,
                    method=name,
                    baseline=is_baseline(name),
                    metric=metric,
                    value=None if isinstance(score, Undefined) else score,
                    reason=score.reason if isinstance(score, Undefined) else "",
                )


def _values(images: Sequence[Judged]) -> dict[str, dict[str, dict[str, float]]]:
    """Metric -> method or baseline -> image -> score, where it can be told."""
    values: dict[str, dict[str, dict[str, float]]] = {}
    for judged in images:
        for metric, scores in judged.scores.items():
            of_metric = values.setdefault(metric, {})
            for name, score in scores.items():
                of_method = of_metric.setdefault(name, {})
                if not isinstance(score, Undefined):
                    of_method[judged.image] = score
    return values


def _bounds(metric: TrustMetric) -> tuple[float, float] | None:
    low, high = metric.range
    return None if low is None or high is None else (low, high)


def _interval(metric: TrustMetric, scores: Mapping[str, float], groups: ImageGroups, seed: int) -> tuple[float, float]:
    """That of the mean, within the range of the metric."""
    low, high = mean_interval(list(scores.values()), bounds=_bounds(metric), groups=groups(scores), seed=seed)
    least, most = metric.range
    return low if least is None else max(low, least), high if most is None else min(high, most)


def _summary(
    model: str, metric: TrustMetric, values: Values, measured: int, groups: ImageGroups, seed: int
) -> Iterator[TrustSummaryRow]:
    """`measured`: on how many images."""
    for name, scores in values.items():
        low, high = _interval(metric, scores, groups, seed)
        baseline = is_baseline(name)
        null, p_value = (metric.null, math.nan) if baseline else _hardest(metric, scores, values, groups, seed)
        shared = [values[null][image] for image in scores if image in values[null]]
        yield TrustSummaryRow(
            model=model,
            method=name,
            baseline=baseline,
            metric=metric.name,
            images=len(scores),
            undefined=measured - len(scores),
            mean=float(np.mean(list(scores.values()))) if scores else math.nan,
            low=low,
            high=high,
            null=null,
            null_mean=float(np.mean(shared)) if shared else math.nan,
            p_value=p_value,
        )


def _hardest(
    metric: TrustMetric, scores: Mapping[str, float], values: Values, groups: ImageGroups, seed: int
) -> tuple[str, float]:
    """The baseline that is hardest to beat, and the p-value of not being better than it: so, than any of them.

    NaN where the metric's null has the best score that there is: a constant map is perfectly stable.
    """
    sign = 1 if metric.direction == "higher" else -1
    best = metric.range[1 if sign > 0 else 0]
    p_values = {}
    for name in BASELINES:
        shared = [image for image in scores if image in values.get(name, {})]
        better = [sign * (scores[image] - values[name][image]) for image in shared]
        if shared:
            p_values[name] = mean_test(better, groups=groups(shared), seed=seed)
    null = values.get(metric.null, {})
    if not p_values or (null and best is not None and all(score == best for score in null.values())):
        return metric.null, math.nan
    hardest = max(p_values, key=lambda name: (p_values[name], name == metric.null))
    return hardest, p_values[hardest]


def _trial(
    model: str, metric: TrustMetric, values: Values, images: Sequence[Judged], groups: ImageGroups, seed: int
) -> TrustMetricRow:
    ladders = {
        judged.image: [_number(score) for score in judged.ladders[metric.name]]
        for judged in images
        if metric.name in judged.ladders
    }
    told = {image: ladder for image, ladder in ladders.items() if not any(map(math.isnan, ladder))}
    truest = {judged.image: _number(judged.truest[metric.name]) for judged in images if metric.name in judged.truest}
    methods = {name: scores for name, scores in values.items() if not is_baseline(name)}
    trial = try_metric(
        methods,
        list(told.values()),
        random=[values.get("random", {}).get(image, math.nan) for image in told],
        centred=[values.get("centred", {}).get(image, math.nan) for image in told],
        truest=[truest.get(image, math.nan) for image in told],
        higher=metric.direction == "higher",
        groups=groups(told),
        seed=seed,
    )
    return TrustMetricRow(
        model=model,
        metric=metric.name,
        title=metric.title,
        property=metric.property,
        direction=metric.direction,
        verdict=metric.verdict,
        caution=metric.caution,
        images=trial.images,
        alpha=trial.alpha,
        fall=trial.fall,
        fall_low=trial.low,
        fall_high=trial.high,
        above_inverted=trial.above_inverted,
        above_random=trial.above_random,
        above_centred=trial.above_centred,
        true_effect_above=trial.true_effect_above,
        reliability=Reliability(trial.reliability),
    )


def _number(score: Score) -> float:
    return math.nan if isinstance(score, Undefined) else score


def _curves(model: str, images: Sequence[Judged], groups: ImageGroups, seed: int) -> Iterator[TrustCurveRow]:
    """Mean curves at equal shares; between the steps of an image its curve is linear."""
    curves: dict[str, dict[str, Curves]] = {}
    for judged in images:
        for name, curve in judged.curves.items():
            curves.setdefault(name, {})[judged.image] = curve
    for name, of_images in curves.items():
        for shown in (True, False):
            for share in np.linspace(0, 1, POINTS).tolist():
                scores = [
                    float(np.interp(share, curve.shares, curve.alone if shown else curve.without))
                    for curve in of_images.values()
                ]
                low, high = mean_interval(scores, groups=groups(of_images), seed=seed)
                yield TrustCurveRow(
                    model=model,
                    method=name,
                    baseline=is_baseline(name),
                    shown=shown,
                    share=share,
                    images=len(scores),
                    mean=float(np.mean(scores)),
                    low=low,
                    high=high,
                )
