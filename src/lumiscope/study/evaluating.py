"""Judgement of maps in Python: a model, images and maps, whoever made them, to trust."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lumiscope.attribution import PreparedBatch
from lumiscope.errors import UsageError
from lumiscope.images import CLASS_SEPARATOR, ImageItem, WorldImage, open_images
from lumiscope.models import VisionModel, label_index, load_model
from lumiscope.progress import Track, silent
from lumiscope.runs import ImageGroups, TrustCurveRow, TrustMetricRow, TrustRow, TrustSummaryRow, to_arrow
from lumiscope.study.stages.judged import Judged, judged, measure, to_judge, true_effect, trust_rows, with_curves
from lumiscope.study.stages.judged_maps import truth_of
from lumiscope.study.stages.trust import WORSENED
from lumiscope.trust import (
    BASELINES,
    METRICS,
    Candidate,
    JudgedView,
    Need,
    default_metrics,
    true_effects,
)
from lumiscope.types import DoubleArray, SaliencyMap

Map: TypeAlias = SaliencyMap | NDArray[Any]
Maps: TypeAlias = Sequence[SaliencyMap] | Mapping[str, Sequence[Map]]


@dataclass(frozen=True)
class Trust:
    """How far maps of one model can be believed. `images`: what became of each. `groups`: which belong together."""

    model: str
    images: tuple[Judged, ...]
    groups: ImageGroups
    seed: int = 0

    def to_table(self) -> pa.Table:
        """Each map and metric: the table `trust` of a run."""
        return self._table(TrustRow)

    def summary(self) -> pa.Table:
        """Each method and metric, beside maps that know nothing: the table `trust_summary` of a run."""
        return self._table(TrustSummaryRow)

    def metrics(self) -> pa.Table:
        """Whether the metrics mean anything on these images: the table `trust_metrics` of a run."""
        return self._table(TrustMetricRow)

    def curves(self) -> pa.Table:
        """Mean deletion and insertion curves: the table `trust_curves` of a run."""
        return self._table(TrustCurveRow)

    def _table(self, row: type[Any]) -> pa.Table:
        return to_arrow(row, self._rows[row])

    @functools.cached_property
    def _rows(self) -> dict[type[Any], list[Any]]:
        return trust_rows(self.model, self.images, self.groups, self.seed)


def evaluate(
    model: VisionModel,
    images: Sequence[ImageItem],
    maps: Maps,
    *,
    metrics: Sequence[str] | str | None = None,
    target: str | int = "predicted",
    seed: int = 0,
    track: Track = silent,
) -> Trust:
    """Judge maps of images by trust metrics, beside maps that know nothing.

    `maps`: what `explain` gives, or method -> one map an image, in order: `SaliencyMap` or (H, W) array on the view,
    high where it matters, NaN for none. `metrics`: names or wildcards of `lumiscope.trust.METRICS`; None: the default
    ones whose needs an image meets. `target`: of arrays, as in `explain`; a `SaliencyMap` knows its own. `seed`: of all
    random choices.
    Errors: `UnknownNameError`, `TargetError`; `UsageError` for maps that do not fit the images, or each other.
    """
    names = None if metrics is None else METRICS.select([metrics] if isinstance(metrics, str) else metrics)
    by_method = _by_method(images, maps)
    results = []
    for place, item in enumerate(track(images, "judging maps", len(images))):
        of_image = {method: of_method[place] for method, of_method in by_method.items()}
        worsened = list(by_method)[place % len(by_method)] if place < WORSENED else None
        results.append(_judge(model, item, of_image, names, target, worsened, seed))
    classes = {item.id: CLASS_SEPARATOR.join(item.class_names) for item in images if item.class_names}
    return Trust(getattr(model, "name", "model"), tuple(results), ImageGroups(classes), seed)


def null_scores(images: int = 6, *, track: Track = silent) -> dict[str, dict[str, float | None]]:
    """Metric -> baseline -> its mean score on pictures of the world by world:objects; None where it cannot be told."""
    model, pictures = load_model("world:objects"), open_images(f"world:{images}")
    maps = {"flat": [np.ones(model.geometry.input_size)] * images}
    trust = evaluate(model, pictures, maps, metrics=list(METRICS), track=track)
    means = {(row["metric"], row["method"]): row["mean"] for row in trust.summary().to_pylist()}
    return {
        metric: {name: None if math.isnan(mean := means[metric, name]) else mean for name in BASELINES}
        for metric in METRICS
    }


def _judge(
    model: VisionModel,
    item: ImageItem,
    maps: Mapping[str, Map],
    names: Sequence[str] | None,
    target: str | int,
    worsened: str | None,
    seed: int,
) -> Judged:
    prepared = PreparedBatch(model, [model.view(item)], seed=seed)
    (asked,) = prepared.targets(_target_of(item, maps, target), [label_index(model, item)])
    truth = truth_of(model, item, asked)
    known: dict[Need, bool] = {"truth": truth is not None, "effects": isinstance(item, WorldImage)}
    met = {need for need, there in known.items() if there}
    wanted = [name for name in default_metrics() if METRICS[name].needs <= met] if names is None else names
    effects = true_effects(model, item, asked) if any("effects" in METRICS[name].needs for name in wanted) else None
    view = JudgedView(prepared, asked, truth=truth, effects=effects)
    candidates = [Candidate(method, _values(item, method, saliency, view.size)) for method, saliency in maps.items()]
    shown, ladder = to_judge(candidates, worsened, view.size, view.seed)
    truest = [true_effect(effects, view.size)] if effects and ladder else []
    everything = [*shown, *ladder[1:], *truest]
    measured = {
        what: dict(zip((c.name for c in everything), measure(what, view, everything), strict=True))
        for what in with_curves(wanted)
    }
    return judged(item.id, measured, shown, ladder)


def _by_method(images: Sequence[ImageItem], maps: Maps) -> dict[str, list[Map]]:
    """Method -> one map an image, in order. Errors: `UsageError`."""
    if isinstance(maps, Mapping):
        given = {method: list(of_method) for method, of_method in maps.items()}
    else:
        places: dict[str, dict[str, Map]] = {}
        for saliency in maps:
            places.setdefault(saliency.method, {})[saliency.item_id] = saliency
        given = {
            method: [of_method[item.id] for item in images if item.id in of_method]
            for method, of_method in places.items()
        }
    if taken := given.keys() & BASELINES.keys():
        raise UsageError(f"expected methods with names of their own; {min(taken)} is the map that knows nothing")
    ids = [item.id for item in images]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise UsageError(f"expected images with ids of their own; {twice[0]} is there {ids.count(twice[0])} times")
    wrong = {method: len(of_method) for method, of_method in given.items() if len(of_method) != len(images)}
    if not given or wrong:
        came = ", ".join(f"{count} of {method}" for method, count in wrong.items()) or "no maps"
        raise UsageError(f"expected one map of each image by each method, {len(images)} a method; got {came}")
    return given


def _target_of(item: ImageItem, maps: Mapping[str, Map], target: str | int) -> str | int:
    """What the maps of an image explain. Errors: `UsageError` where they explain several classes."""
    targets = {saliency.target.index for saliency in maps.values() if isinstance(saliency, SaliencyMap)}
    if len(targets) > 1:
        raise UsageError(
            f"expected maps of {item.id} that explain one class; got maps of classes {sorted(targets)}. Evaluate the "
            "maps of each class by themselves."
        )
    return targets.pop() if targets else target


def _values(item: ImageItem, method: str, saliency: Map, size: tuple[int, int]) -> DoubleArray:
    values = np.asarray(saliency.values if isinstance(saliency, SaliencyMap) else saliency, np.float64)
    if values.shape != size:
        raise UsageError(
            f"expected maps on the view, {size[0]} x {size[1]}; got {' x '.join(map(str, values.shape))} for {item.id} "
            f"by {method}. Resize it to the view that the model sees (model.view(image))."
        )
    return values
