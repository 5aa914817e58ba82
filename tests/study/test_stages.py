"""Stages: their order follows from what they need; their tasks can be sent anywhere; their rows follow from results."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import pickle
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lumiscope.engines import LocalEngine
from lumiscope.memo import Memo
from lumiscope.progress import silent
from lumiscope.runs import TABLES, SkippedRow, column, table
from lumiscope.store import Store
from lumiscope.study import ModelConfig, Study
from lumiscope.study.open_study import OpenStudy
from lumiscope.study.pipeline import check, open_study, run_stages
from lumiscope.study.stage import STAGES, Collected, Results, Stage, Tables, in_order
from lumiscope.study.stages import activations, stored_activations
from lumiscope.world import OBJECTS, WORDS


@table("seeds", "each seed", kept=False)
class SeedRow:
    """A seed."""

    name: str = column("its name")


@table("plants", "each plant", kept=False)
class PlantRow:
    """A plant."""

    name: str = column("its name")


class Step(Stage):
    """A stage that does nothing."""

    def __init__(self, needs: tuple[type[Any], ...] = (), writes: tuple[type[Any], ...] = ()) -> None:
        self.needs, self.writes = needs, writes

    def applies(self, study: OpenStudy) -> bool:
        return True

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        return Collected({})


def test_a_stage_comes_after_those_that_write_what_it_needs_else_by_name() -> None:
    steps = {
        "a harvest": Step(needs=(PlantRow,)),
        "growing": Step(needs=(SeedRow,), writes=(PlantRow,)),
        "sowing": Step(writes=(SeedRow,)),
        "b tools": Step(),
    }
    expected = ["b tools", "sowing", "growing", "a harvest"]
    assert in_order(steps) == in_order(dict(reversed(steps.items()))) == expected
    del steps["sowing"]  # a part that the study does not have
    assert in_order(steps) == ["b tools", "growing", "a harvest"]


def test_two_writers_of_one_table_and_stages_that_need_one_another_are_errors() -> None:
    with pytest.raises(ValueError, match="the stages one and two both write PlantRow"):
        in_order({"one": Step(writes=(PlantRow,)), "two": Step(writes=(PlantRow,))})
    with pytest.raises(ValueError, match="cycle"):
        in_order({"one": Step((SeedRow,), (PlantRow,)), "two": Step((PlantRow,), (SeedRow,))})
    tables = Tables()
    tables.write(SeedRow, [SeedRow(name="bean")])
    with pytest.raises(ValueError, match="two stages write SeedRow"):
        tables.write(SeedRow, [])
    assert tables.rows(SeedRow) == (SeedRow(name="bean"),)
    assert tables.rows(PlantRow) == ()


def test_every_table_of_a_run_is_written_by_one_stage() -> None:
    written = Counter(row for step in STAGES.values() for row in step.writes)
    kept = {declared.row for declared in TABLES.values()} - {SkippedRow}  # of which every stage may write some
    assert kept <= written.keys()
    assert set(written.values()) == {1}
    assert {row for step in STAGES.values() for row in step.needs} <= written.keys()


@functools.singledispatch
def same(result: object, other: object) -> bool:
    """Whether two results are alike to the last digit; NaN is like NaN."""
    if dataclasses.is_dataclass(result) and type(result) is type(other):
        return same(vars(result), vars(other))
    return type(result) is type(other) and result == other


@same.register
def _(result: float, other: object) -> bool:
    return result == other or (isinstance(other, float) and math.isnan(result) and math.isnan(other))


@same.register
def _(result: np.ndarray, other: object) -> bool:
    return isinstance(other, np.ndarray) and result.dtype == other.dtype and result.tobytes() == other.tobytes()


@same.register(list)
@same.register(tuple)
def _(result: list[object], other: list[object]) -> bool:
    return len(result) == len(other) and all(map(same, result, other))


@same.register
def _(result: Mapping, other: object) -> bool:
    return (
        isinstance(other, Mapping)
        and list(result) == list(other)
        and all(same(result[key], other[key]) for key in result)
    )


def alike(result: object, other: object) -> bool:
    """`same`, also of dataclasses, but for what was computed in which run."""
    if isinstance(result, list | tuple):
        return len(result) == len(other) and all(map(alike, result, other))  # type: ignore[arg-type]
    if not dataclasses.is_dataclass(result):
        return same(result, other)
    names = [field.name for field in dataclasses.fields(result) if field.name != "computed"]
    return type(result) is type(other) and all(alike(getattr(result, name), getattr(other, name)) for name in names)


@pytest.fixture
def everything(workplace: Path) -> Study:
    """A study that has every stage: two models, images of the world to explain, others to dissect with."""
    Path("classes.txt").write_text("\n".join(OBJECTS) + "\n")
    words = [word for members in WORDS.values() for word in members]
    ids = [f"world-1-{index:05}" for index in range(6)]
    scores = np.random.default_rng(0).random((len(ids), len(words)))
    np.savez("scores.npz", scores=scores, images=np.array(ids), concepts=np.array(words))
    facts = {"spec": "python:tiny:make", "classes": "classes.txt", "num_classes": 12, "input_size": 32}
    return Study(
        images="world:6",
        probe="world:6@1",
        models=[ModelConfig(name=name, options={"width": width}, **facts) for name, width in (("a", 5), ("b", 6))],
        scorer="table:scores.npz",
        concepts="world",
        layers=["0", "3"],
        similarity="cos",
        methods=["gradcam", "lime"],
        options={"lime": {"num_samples": 30}},
        backend="eager",
        fdr=1.0,
        min_stability=0.0,
        trust=True,
    )


def opened(study: Study, store: Path) -> OpenStudy:
    return open_study(study, Memo(Store(store)), silent)[0]


def test_tasks_can_be_done_anywhere_and_rows_follow_from_results(everything: Study, tmp_path: Path) -> None:
    here = opened(everything, tmp_path / "store")
    check(here, STAGES)
    assert all(step.applies(here) for step in STAGES.values())
    tables, keys, with_tasks = Tables(), [], []
    for name in in_order(STAGES):
        step = STAGES[name]
        tasks = step.tasks(here, tables)
        keys += [task.key for task in tasks]
        with_tasks += [name] if tasks else []
        results = [result for _, result in LocalEngine().map(tasks, here)]
        there = opened(everything, tmp_path / "store")
        for task, result in zip(tasks, results, strict=True):
            assert task.steps > 0
            assert not task.lacking(there), f"{task.key}: what it makes is kept"
            sent = pickle.loads(pickle.dumps(task))
            assert sent == task
            assert alike(pickle.loads(pickle.dumps(sent.run(there, lambda steps: None))), result), task.key
        collected, again = (step.collect(here, tables, Results(results)) for _ in range(2))
        assert collected.rows.keys() == again.rows.keys() == set(step.writes)
        for row, rows in collected.rows.items():
            assert alike(list(rows), list(again.rows[row])), row
            tables.write(row, rows)
        assert not [*collected.skipped, *again.skipped]
    assert max(Counter(keys).values()) == 1, "a key is a task's own"
    assert with_tasks == ["activations", "concept_scores", "detectors", "explanations", "audit", "effects",
                          "image_complexity", "labels", "contributions", "controls", "map_agreement", "masks",
                          "agreement", "map_shapes", "model_agreement", "randomisation", "repeats", "trust",
                          "unit_crops"]  # fmt: skip
    empty = [name for name, declared in TABLES.items() if not tables.rows(declared.row)]
    assert empty == ["skipped", "trust_curves"], "hiding everything lowers the score of no untrained network"


def test_tasks_in_turns_at_two_places_that_share_a_store(
    everything: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on two machines: neither is opened anew, and what one writes the other and the one in charge read."""
    monkeypatch.setattr(stored_activations, "SHARD", 2)
    monkeypatch.setattr(activations, "SHARD", 2)
    here, *places = (opened(everything, tmp_path / "store") for _ in range(3))
    check(here, STAGES)
    turns = itertools.cycle(places)

    class Elsewhere(LocalEngine):
        def map(self, tasks, place, description="", *, patience=None):
            return ((task, task.run(next(turns), lambda steps: None)) for task in tasks)

    tables, alone = Tables(), Tables()
    run_stages(dataclasses.replace(here, engines=Elsewhere), STAGES, tables)
    in_one_place = opened(everything, tmp_path / "other")
    run_stages(in_one_place, STAGES, alone)
    for declared in TABLES.values():
        rows = [list(place.rows(declared.row)) for place in (tables, alone)]
        assert alike(*rows), declared.name


def test_parts_of_a_task_do_together_what_it_does(everything: Study, tmp_path: Path) -> None:
    here = opened(everything, tmp_path / "whole")
    there = opened(everything, tmp_path / "parts")
    tables = Tables()
    for name in ("activations", "explanations"):
        for task in STAGES[name].tasks(here, tables):
            whole = task.run(here, lambda steps: None)
            parts = [task.part([item]) for item in task.items]
            assert [item for part in parts for item in part.items] == list(task.items)
            assert sum(part.steps for part in parts) == task.steps
            done = [part.run(there, lambda steps: None) for part in parts]
            if name == "explanations":
                joined = [receipt for receipts in done for receipt in receipts]
                assert [receipt.image for receipt in joined] == [receipt.image for receipt in whole]
                assert alike([receipt.predictions[0].class_index for receipt in joined],
                             [receipt.predictions[0].class_index for receipt in whole])  # fmt: skip
            assert not task.lacking(there)
