"""Models beside the same architecture with random weights: an untrained one is not called more, a trained one is."""

from __future__ import annotations

import sys

import pytest

from lumiscope.runs import (
    ControlCategoryRow,
    ControlRow,
    FindingRow,
    LayerRow,
    LowLevelRow,
    Outcome,
    UnitRow,
)
from lumiscope.study import ModelConfig, Study
from lumiscope.study.config import DissectConfig, ExplainConfig, RunConfig
from lumiscope.study.pipeline import compute


def study(folder, *models: ModelConfig, **dissect) -> Study:
    return Study(
        models=models,
        run=RunConfig(runs=str(folder), name="r"),
        explain=ExplainConfig(),
        dissect=DissectConfig(scorer="world:clip", concepts="world", **dissect),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("controls")


def untrained_and_trained(folder) -> list[Study]:
    untrained = ModelConfig(spec="torchvision:resnet18", weights="random", input_size=64)
    return [
        study(folder / "trained", ModelConfig(spec="world:objects"), probe="world:200", layers=["stage1", "stage5"]),
        study(folder / "untrained", untrained, probe="world:200", layers=["layer1"]),
    ]


@pytest.fixture(scope="module")
def runs(folder):
    return [compute(asked) for asked in untrained_and_trained(folder)]


def finding(run) -> FindingRow:
    (row,) = (row for row in run.rows(FindingRow) if row.finding == "beyond_random")
    return row


def test_a_trained_network_is_ahead_in_its_last_layer(runs) -> None:
    row = finding(runs[0])
    assert row.outcome == Outcome.SUPPORTED
    assert "stage5" in row.claim
    assert "stage1" not in row.claim


def test_an_untrained_network_is_not_though_its_units_have_labels(runs) -> None:
    labelled = {row.layer: row.labelled / row.units for row in runs[1].rows(LayerRow)}
    assert labelled["layer1"] > 0.5
    assert finding(runs[1]).outcome == Outcome.UNDECIDED


def test_every_layer_has_its_controls(runs) -> None:
    for run in runs:
        layers = {(row.model, row.layer): row.units for row in run.rows(LayerRow)}
        rows = run.rows(ControlRow)
        assert {(row.model, row.layer, row.seed): row.units for row in rows} == {
            (*place, seed): count for place, count in layers.items() for seed in range(3)
        }
        counts: dict[tuple, int] = {}
        for row in run.rows(ControlCategoryRow):
            counts[row.layer, row.seed] = counts.get((row.layer, row.seed), 0) + row.units
        assert counts == {(row.layer, row.seed): row.units for row in rows}
        labels = [
            tuple(row.label or "" for row in run.rows(LowLevelRow) if row.seed == seed) for seed in (None, 0, 1, 2)
        ]
        assert len(set(labels)) == 4


def test_the_models_own_labels_are_judged(runs) -> None:
    for run in runs:
        judged = {(row.layer, row.unit): row.label for row in run.rows(LowLevelRow) if row.seed is None}
        assert judged == {(row.layer, row.unit): row.label for row in run.rows(UnitRow)}
        assert not any(row.survives for row in run.rows(LowLevelRow) if row.label is None)


def test_a_second_run_looks_at_nothing(runs, folder, monkeypatch) -> None:
    def refuse(*_):
        raise AssertionError("looked at again")

    # where these are called, so that the code that makes results is the same
    for module, name in (("study.stages.probe_images", "collect_activations"), ("models.random_weights", "borrowed")):
        monkeypatch.setattr(sys.modules[f"lumiscope.{module}"], name, refuse)
    asked, _ = untrained_and_trained(folder)
    before = runs[0].rows(LowLevelRow)
    assert str(compute(asked).rows(LowLevelRow)) == str(before)


def test_none_where_none_is_asked_for(folder) -> None:
    objects = ModelConfig(spec="world:objects")
    run = compute(study(folder / "none", objects, probe="world:40", layers=["stage5"], controls=0))
    assert not run.rows(ControlRow)
    assert {row.seed for row in run.rows(LowLevelRow)} == {None}
    assert not [row for row in run.rows(FindingRow) if row.finding in ("random_networks", "beyond_random")]
