"""The bars of explaining: one over all maps, one inside each method that needs many passes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from lumiscope.attribution import METHODS, AttributionMethod
from lumiscope.errors import ModelError
from lumiscope.images import ImageItem, ImageSet, Skipped
from lumiscope.models import TorchModel
from lumiscope.progress import Track, silent
from lumiscope.store import Store
from lumiscope.study import ExplainConfig, Explaining, ExplanationPlan, explain
from lumiscope.study.tuning.lime_search import LimeSearch
from lumiscope.study.tuning.tune_lime import tune_lime

T = TypeVar("T")
PASSES = "  forward passes"
TWO = ["gradcam", "occlusion"]


class Recorded:
    """A `Track` that keeps, for every bar, its description, its total and how far it came."""

    def __init__(self) -> None:
        self.bars: list[list[Any]] = []

    def __call__(self, items: Iterable[T], description: str, total: int) -> Iterator[T]:
        bar = [description, total, 0]
        self.bars.append(bar)
        for item in items:
            yield item
            bar[2] += 1

    def inside(self) -> list[list[Any]]:
        return [bar for bar in self.bars if bar[0] == PASSES]


def make_ready(
    model: TorchModel,
    images: ImageSet,
    methods: list[str],
    track: Track = silent,
    store: Store | None = None,
    **given: Any,
) -> Explaining:
    config = ExplainConfig(methods=methods, options=given, backend="eager")
    return Explaining.of(model, images, config, store=store, track=track)


def watch(monkeypatch: pytest.MonkeyPatch, track: Recorded) -> list[tuple[str, int, int]]:
    """What the first bar showed when each method began: (method, images, maps done)."""
    seen: list[tuple[str, int, int]] = []
    before = AttributionMethod.explain

    def explain(self: Any, prepared: Any, targets: Any, options: Any) -> Any:
        seen.append((self.name, len(prepared), track.bars[0][2]))
        return before(self, prepared, targets, options)

    monkeypatch.setattr(AttributionMethod, "explain", explain)
    return seen


def test_the_bar_moves_with_every_batch_and_method(
    tiny: TorchModel, pictures: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = Recorded()
    seen = watch(monkeypatch, track)
    explain(tiny, pictures, methods=TWO, backend="eager", track=track)
    assert seen == [("gradcam", 4, 0), ("occlusion", 4, 4), ("gradcam", 3, 8), ("occlusion", 3, 11)]
    assert track.bars[0] == ["explaining with tiny", 14, 14]


def test_what_is_stored_is_done_at_once(
    tiny: TorchModel, pictures: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = Recorded()
    seen = watch(monkeypatch, track)
    list(make_ready(tiny, pictures, TWO, track, Store(tmp_path / "store")).each([]))
    assert [done for *_, done in seen] == [0, 4, 8, 11]
    again = Recorded()
    list(make_ready(tiny, pictures, TWO, again, Store(tmp_path / "store")).each([]))
    assert again.bars == [["explaining with tiny", 14, 14]]


def test_images_that_fail_are_passed_over(
    tiny: TorchModel, pictures: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ExplanationPlan.prepare

    def prepare(self: ExplanationPlan, batch: list[ImageItem], *rest: Any) -> Any:
        if "p1" in [item.id for item in batch]:
            raise ModelError("p1 is bad")
        return before(self, batch, *rest)

    monkeypatch.setattr(ExplanationPlan, "prepare", prepare)
    track, failed = Recorded(), list[Skipped]()
    shown = [(item.id, track.bars[0][2]) for item, _ in make_ready(tiny, pictures, TWO, track).each(failed)]
    assert shown == [("p0", 2), ("p2", 6), ("p3", 8), ("p4", 14), ("p5", 14), ("p6", 14)]
    assert [entry.name for entry in failed] == ["pictures/p1.png"]


@pytest.mark.parametrize(
    ("method", "options", "totals"),
    [
        ("occlusion", {"window": 8, "stride": 8}, [17]),
        ("rise", {"num_masks": 30, "cells": 4}, [30]),
        ("lime", {"num_samples": 40}, [40]),
        ("kernelshap", {"segmenter": "grid", "segmenter_options": {"rows": 2, "columns": 2}}, [16]),
        ("smoothgrad", {"num_samples": 20}, [20]),
        ("integrated_gradients", {"steps": 20, "flips": True}, [20, 20]),
        ("gradcam", {}, []),
    ],
)
def test_methods_of_many_passes_have_a_bar_of_their_own(
    tiny: TorchModel, pictures: ImageSet, method: str, options: dict[str, Any], totals: list[int]
) -> None:
    track = Recorded()
    explain(tiny, pictures[:1], methods=method, options={method: options}, backend="eager", track=track)
    assert [bar[1] for bar in track.inside()] == totals
    size = tiny.batch_size
    assert [bar[2] for bar in track.inside()] == [(total - 1) // size * size for total in totals]


def test_channels_are_counted(tiny: TorchModel, pictures: ImageSet) -> None:
    track = Recorded()
    explain(tiny, pictures[:1], methods="scorecam", backend="eager", track=track)
    (bar,) = track.inside()
    prepared, _ = make_ready(tiny, pictures, ["scorecam"]).plan.prepare([pictures[0]])
    maps = prepared.at(tiny.target_layer).maps[0].flatten(1)
    varying = int((maps.amax(1) > maps.amin(1)).sum())
    assert bar[1] == varying + (varying < len(maps))


def test_tuning_counts_segmenters_and_passes(tiny: TorchModel, pictures: ImageSet) -> None:
    track = Recorded()
    search = LimeSearch(segmenters=("grid",), samples=(20,), features=(1,), seeds=2)
    lime = {"num_samples": 20, "num_features": 1, "segmenter": "grid"}
    tune_lime(make_ready(tiny, pictures[:2], ["lime"], track, lime=lime), search)
    assert track.bars[0] == ["tuning lime with tiny", 2, 2]
    assert [bar[1] for bar in track.inside()].count(20) == 4, "two images, two seeds"


def test_a_bar_changes_no_map(tiny: TorchModel, pictures: ImageSet) -> None:
    options = {"rise": METHODS["rise"].options({"num_masks": 30}).__dict__}
    plain, tracked = (
        explain(tiny, pictures[:1], methods="rise", options=options, backend="eager", **given)
        for given in ({}, {"track": Recorded()})
    )
    np.testing.assert_array_equal(plain[0].values, tracked[0].values)
