"""A stage: a step of a study, from tables to tables. A new one is a module in `stages/` with a class under `@stage`."""

from __future__ import annotations

import graphlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from lumiscope.engines import Failure, Task
from lumiscope.registry import Registry
from lumiscope.runs import SkippedRow

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.study.open_study import OpenStudy

Row = TypeVar("Row")
Kind = TypeVar("Kind", bound="Stage")


class Tables:
    """The rows that stages have written so far, by their dataclass."""

    def __init__(self) -> None:
        self._rows: dict[type[Any], tuple[Any, ...]] = {}

    def rows(self, row: type[Row]) -> tuple[Row, ...]:
        """The rows of a table; none where no stage wrote it."""
        return self._rows.get(row, ())

    def write(self, row: type[Row], rows: Iterable[Row]) -> None:
        """Take the rows of a table, once. Errors: `ValueError` the second time."""
        if row in self._rows:
            raise ValueError(f"two stages write {row.__name__}")
        self._rows[row] = tuple(rows)


@dataclass(frozen=True)
class Collected:
    """What a stage makes of the results of its tasks. `rows`: by their dataclass. `facts`: for the manifest.

    `skipped`: what was left out on the way.
    """

    rows: Mapping[type[Any], Sequence[Any]]
    facts: Mapping[str, Any] = field(default_factory=dict)
    skipped: Sequence[SkippedRow] = ()


@dataclass(frozen=True)
class Results:
    """What became of a stage's tasks. `results`: one for each task or part of one, in order. `failures`: left out."""

    results: Sequence[Any]
    failures: Sequence[Failure] = ()

    def skipped(self, what: str, items: Iterable[ImageItem]) -> list[SkippedRow]:
        """A row for each item that failed, with the first reason. `what`: image, ...; `items`: those of the tasks."""
        names = {item.id: item.name for item in items}
        reasons: dict[str, str] = {}
        for failure in self.failures:
            reasons.setdefault(failure.item, failure.reason)
        return [SkippedRow(what=what, name=names[item], reason=reason) for item, reason in reasons.items()]


class Stage(ABC):
    """One step of a study.

    `needs`: the row types that must be there before; `writes`: those that it makes. The order of all stages follows.
    `patience`: how many items may fail before any succeeds; None: all of them. `may_stop`: whether the study's
    `on_error` decides what a bad item does; else it is left out.
    """

    needs: tuple[type[Any], ...] = ()
    writes: tuple[type[Any], ...] = ()
    patience: int | None = None
    may_stop: bool = False

    @abstractmethod
    def applies(self, study: OpenStudy) -> bool:
        """Whether the study has such a part."""

    def check_settings(self, study: OpenStudy) -> None:  # noqa: B027 - most stages name nothing
        """Raise where a name is wrong that no model is needed for: looked up before any model is loaded."""

    def check(self, study: OpenStudy) -> None:  # noqa: B027 - most stages name nothing
        """Raise where a name is wrong of the models: names only, never a forward pass."""

    def tasks(self, study: OpenStudy, tables: Tables) -> Sequence[Task[OpenStudy, Any]]:
        """What is to be done: named, picklable, each by itself. None where the rows follow from other tables."""
        return ()

    @abstractmethod
    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """The rows of the tables that it writes. A pure function of what it is given."""


STAGES: Registry[Stage] = Registry("stage", package="lumiscope.study.stages")
"""Every stage by name."""


def stage(name: str) -> Callable[[type[Kind]], type[Kind]]:
    """Register the decorated class as the stage `name`, whose progress bars are called so, too."""

    def register(kind: type[Kind]) -> type[Kind]:
        STAGES.register(name, kind(), defined_by=kind)
        return kind

    return register


def in_order(stages: Mapping[str, Stage]) -> list[str]:
    """The names of stages, each after those that write what it needs; else by name.

    Errors: `ValueError` where two write one table, or stages need one another.
    """
    writer: dict[type[Any], str] = {}
    for name, step in stages.items():
        for row in step.writes:
            if row in writer:
                raise ValueError(f"the stages {writer[row]} and {name} both write {row.__name__}")
            writer[row] = name
    graph = {name: {writer[row] for row in step.needs if row in writer} for name, step in stages.items()}
    sorter = graphlib.TopologicalSorter(graph)
    sorter.prepare()
    ordered: list[str] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()])
        ordered.append(ready.pop(0))
        sorter.done(ordered[-1])
    return ordered


def run_stage(name: str, study: OpenStudy, tables: Tables) -> tuple[Results, Collected]:
    """Do a stage's tasks and write its rows to `tables`."""
    step = STAGES[name]
    engine = study.engine(stop=step.may_stop and study.run.on_error == "stop")
    tasks = step.tasks(study, tables)
    parts = engine.map(tasks, study, name.replace("_", " "), patience=step.patience)
    results = Results([result for _, result in parts], engine.failures)
    collected = step.collect(study, tables, results)
    for row, rows in collected.rows.items():
        tables.write(row, rows)
    return results, collected
