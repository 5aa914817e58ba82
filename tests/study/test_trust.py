"""Trust of a run: tables, what is kept, `evaluate` in Python and on the command line."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import lumiscope
from lumiscope.cli import main
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.images import open_images
from lumiscope.models import load_model
from lumiscope.runs import (
    FindingRow,
    ImageRow,
    Reliability,
    Run,
    TrustCurveRow,
    TrustMetricRow,
    TrustRow,
    TrustSummaryRow,
)
from lumiscope.study import ModelConfig, Study, compute, evaluate, explain, find
from lumiscope.study.stage import Tables
from lumiscope.study.stages import judged_maps
from lumiscope.testing import fake_row
from lumiscope.trust import METRICS

METHODS = ["gradcam", "lime"]
OPTIONS = {"lime": {"num_samples": 60}}
FEW = ["abpc", "single_deletion_7"]


def command(*arguments: str) -> int:
    """What a command ends with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["lumiscope", *arguments])
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0)
    return 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run without trust, of four pictures."""
    runs = tmp_path_factory.mktemp("runs")
    study = Study(
        models=[ModelConfig(spec="world:objects")],
        images="world:4",
        methods=METHODS,
        options=OPTIONS,
        runs=str(runs),
        name="r",
    )
    return compute(study).folder


@pytest.fixture(scope="module")
def evaluated(folder: Path) -> Run:
    """The same after `lumiscope evaluate`."""
    assert not Run.open(folder).rows(TrustRow)
    assert command("evaluate", str(folder), "--metrics", ",".join(FEW)) == 0
    return Run.open(folder)


def test_every_map_and_baseline_is_judged_by_every_metric(evaluated: Run) -> None:
    rows = evaluated.rows(TrustRow)
    assert len(rows) == 4 * (2 + 4) * 2
    assert {row.method for row in rows if not row.baseline} == set(METHODS)
    assert {row.method for row in rows if row.baseline} == {"random", "blob", "centred", "constant"}
    assert all((row.value is None) == bool(row.reason) for row in rows)
    flat = {row.value for row in rows if row.method == "constant" and row.value is not None}
    assert flat == {0.0}, "a constant map orders nothing, and both its curves are straight"


def test_summary_and_curves_follow_from_the_scores(evaluated: Run) -> None:
    rows = evaluated.rows(TrustRow)
    for line in evaluated.rows(TrustSummaryRow):
        values = [row.value for row in rows if (row.method, row.metric) == (line.method, line.metric) and row.value]
        assert line.mean == pytest.approx(np.mean(values) if values else 0)
        assert math.isnan(line.p_value) == line.baseline
    (gradcam,) = [row for row in evaluated.rows(TrustSummaryRow) if (row.method, row.metric) == ("gradcam", "abpc")]
    curves = [row for row in evaluated.rows(TrustCurveRow) if row.method == "gradcam"]
    area = {
        shown: np.trapezoid([row.mean for row in curves if row.shown == shown], dx=1 / 20) for shown in (True, False)
    }
    assert area[True] - area[False] == pytest.approx(gradcam.mean, abs=0.02), "at 21 points, of up to 32 steps"
    assert {row.metric: row.images for row in evaluated.rows(TrustMetricRow)} == dict.fromkeys(FEW, 4)


def test_what_is_there_is_not_judged_again(
    evaluated: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured: list[str] = []
    before = judged_maps.measure
    monkeypatch.setattr(judged_maps, "measure", lambda what, *rest: (measured.append(what), before(what, *rest))[1])
    capsys.readouterr()
    assert command("evaluate", str(evaluated.folder), "--metrics", ",".join([*FEW, "insertion"]), "--json") == 0
    assert set(measured) == {"insertion"}, "what the store lacks alone"
    rows = json.loads(capsys.readouterr().out)
    assert {row["metric"] for row in rows} == {*FEW, "insertion"}


def test_python_says_the_same(evaluated: Run) -> None:
    model, images = load_model("world:objects"), open_images("world:4")
    maps = explain(model, images, methods=METHODS, options=OPTIONS)
    trust = evaluate(model, images, maps, metrics=FEW)
    kept = {(row.image, row.method, row.metric): row.value for row in evaluated.rows(TrustRow)}
    for row in trust.to_table().to_pylist():
        assert row["value"] == pytest.approx(kept[row["image"], row["method"], row["metric"]], abs=1e-4)
    by_name = {method: [m.values for m in maps if m.method == method] for method in METHODS}
    assert evaluate(model, images, by_name, metrics=FEW).to_table() == trust.to_table(), "arrays, too"


def test_maps_that_do_not_fit_are_refused() -> None:
    model, images = load_model("world:objects"), open_images("world:2")
    flat = [np.ones((128, 128))] * 2
    with pytest.raises(UsageError, match="one map of each image by each method, 2 a method; got 1 of mine"):
        evaluate(model, images, {"mine": flat[:1]}, metrics=FEW)
    with pytest.raises(UsageError, match="expected maps on the view, 128 x 128; got 7 x 7 for world-0-00000 by mine"):
        evaluate(model, images, {"mine": [np.ones((7, 7))] * 2}, metrics=FEW)
    with pytest.raises(UsageError, match="names of their own; random is the map that knows nothing"):
        evaluate(model, images, {"random": flat}, metrics=FEW)
    with pytest.raises(UnknownNameError, match=r"unknown metric 'abp'.*abpc"):
        evaluate(model, images, {"mine": flat}, metrics="abp")
    (first,) = explain(model, images[:1], methods="gradcam")
    second = dataclasses.replace(first, method="other", target=dataclasses.replace(first.target, index=3))
    with pytest.raises(UsageError, match="explain one class"):
        evaluate(model, images[:1], [first, second], metrics=FEW)


def test_a_map_that_is_undefined_has_no_score_and_says_why() -> None:
    model, images = load_model("world:objects"), open_images("world:1")
    trust = evaluate(model, images, {"mine": [np.full((128, 128), np.nan)]}, metrics=FEW)
    rows = [row for row in trust.to_table().to_pylist() if row["method"] == "mine"]
    assert [(row["value"], row["reason"]) for row in rows] == [(None, "the map is undefined")] * 2


def test_black_boxes_are_judged() -> None:
    torch_model, images = load_model("world:objects"), open_images("world:1")

    def predict(pixels: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return torch_model.module(torch_model.inputs(pixels).contiguous()).numpy()

    box = lumiscope.BlackBox(predict, torch_model.geometry, classes=torch_model.classes)
    maps = {"mine": [np.arange(128 * 128.0).reshape(128, 128)]}
    inside, outside = (evaluate(model, images, maps, metrics=FEW).to_table() for model in (torch_model, box))
    np.testing.assert_allclose(
        np.array(inside["value"].to_pylist(), float), np.array(outside["value"].to_pylist(), float), atol=0.02
    )


def sentences(**values: dict[str, list[float]]) -> dict[str, FindingRow]:
    """What is said of methods with these scores on `abpc`. `values`: method -> one score an image."""
    count = len(next(iter(values.values())))
    tables = Tables()
    tables.write(ImageRow, [fake_row(ImageRow, image=str(image), class_name=None) for image in range(count)])
    tables.write(
        TrustRow,
        [
            fake_row(TrustRow, model="m", image=str(image), method=method, baseline=False, metric="abpc", value=value)
            for method, scores in values.items()
            for image, value in enumerate(scores)
        ],
    )
    return {row.finding: row for row in find(tables)}


def test_the_most_faithful_is_named_where_it_is_shown() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, (3, 40))
    told = sentences(gradcam=noise[0] + 0.5, lime=noise[1] + 0.2, scorecam=noise[2] + 0.2)["most_faithful"]
    assert told.outcome == "supported"
    assert told.claim.startswith("m: Grad-CAM is the most faithful to the model: area between the curves Grad-CAM 0.")
    alike = sentences(gradcam=noise[0], lime=noise[1], scorecam=noise[2])["most_faithful"]
    assert alike.outcome == "undecided"
    few = sentences(gradcam=noise[0][:4] + 9, lime=noise[1][:4])["most_faithful"]
    assert few.outcome == "cannot be told"


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        (["unknown", "unknown"], "not shown by a, b"),
        (["holds", "meaningless"], "yes by a; hardly by b"),
        (["unknown", "weak"], "less often by b; not shown by a"),
    ],
)
def test_what_notices_noise_is_told_whatever_else_does(kinds: list[str], told: str) -> None:
    tables = Tables()
    tables.write(
        TrustMetricRow,
        [
            fake_row(TrustMetricRow, model="m", title=title, images=8, reliability=Reliability(kind))
            for title, kind in zip("ab", kinds, strict=True)
        ],
    )
    (row,) = find(tables)
    assert row.claim == f"m: does a map score worse the more noise is mixed into it? Tried on 8 images, {told}."


def test_metrics_are_listed_with_what_maps_that_know_nothing_score(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("methods", "--metrics", "--json") == 0
    rows = {row["metric"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(METRICS)
    assert rows["abpc"]["constant"] == 0
    assert rows["insertion"]["constant"] == pytest.approx(0.5)
    assert abs(rows["abpc"]["random"]) < 0.2
    assert rows["deletion"]["better"] == "lower"
