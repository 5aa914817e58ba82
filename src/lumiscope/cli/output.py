"""Data on stdout as a table or as JSON; talk and progress on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from lumiscope.cli._stdout import data_stream
from lumiscope.p_values import P_COLUMNS, p_text
from lumiscope.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress

    from lumiscope.images import Skipped
    from lumiscope.models import BlackBox, TorchModel
    from lumiscope.runs import NetworkDissectionRow, UnitRow
    from lumiscope.study import ExplanationPlan

LINES = "\n\t"  # what parts lines and cells
T = TypeVar("T")


def say(text: str) -> None:
    """Talk to the user."""
    print(printable(text, keep=LINES), file=sys.stderr)


def print_data(text: object) -> None:
    """Print what a command was asked for, to stdout."""
    print(printable(str(text), keep=LINES), file=data_stream())


def end_with_skipped(skipped: Sequence[Skipped]) -> None:
    """Say what was left out, and end with exit code 3 where something was."""
    for entry in skipped:
        say(f"skipped {entry}")
    if skipped:
        raise typer.Exit(3)


def say_how(model: TorchModel | BlackBox, plan: ExplanationPlan) -> None:
    """Say what was assumed of a model, and what runs it in this plan."""
    for note in model.notes:
        say(f"{model.name}: {note}")
    say(f"run by {plan.choice.backend}, {plan.choice.precision}: {plan.choice.why}")


def print_json(content: object) -> None:
    """Print JSON; NaN, which JSON does not have, becomes null, and what cannot be printed an escape of JSON's."""
    text = json.dumps(_without_nan(content), indent=1, ensure_ascii=False)
    print_data("\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n")))


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows: as JSON, as an aligned table on a terminal, else with tabs so that other tools can read them."""
    rows = list(rows)
    if as_json:
        print_json(rows)
    elif data_stream().isatty():
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(*columns, box=box.SIMPLE_HEAD)
        for row in rows:
            table.add_row(*(_cell(column, row[column]) for column in columns))
        Console(file=data_stream()).print(table)
    else:
        print_data("\t".join(columns))
        for row in rows:
            print_data("\t".join(_cell(column, row[column]) for column in columns))


def unit_columns(unit: UnitRow | NetworkDissectionRow) -> dict[str, Any]:
    """A unit's row as a reader wants it: the reason in words, lists with commas."""
    from lumiscope.runs import as_json

    texts = {name: ", ".join(value) for name, value in as_json(unit).items() if name == "further_labels"}
    return {**as_json(unit), **texts, "reason": "" if unit.no_label is None else str(unit.no_label)}


class Bars:
    """Draws every `Track` that is under way, one bar below the other; each is gone when its work is done."""

    def __init__(self) -> None:
        self._display: Progress | None = None

    def __call__(self, items: Iterable[T], description: str, total: int) -> Iterator[T]:
        """A bar with an estimate on stderr; silent where that is no terminal."""
        if not sys.stderr.isatty():
            yield from items
            return
        if self._display is None:
            self._display = _display()
            self._display.start()
        display = self._display
        task = display.add_task(description, total=total)
        try:
            for item in items:
                yield item
                display.advance(task)
        finally:
            display.remove_task(task)
            if not display.tasks:
                display.stop()
                self._display = None


progress = Bars()


def _display() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _escaped(text: str) -> str:
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)


def _cell(column: str, value: object) -> str:
    if isinstance(value, float) and math.isnan(value):
        return ""
    if isinstance(value, float):
        return p_text(value) if column in P_COLUMNS else f"{value:.3f}"
    if isinstance(value, (list, tuple)):
        return printable("×".join(str(part) for part in value))
    return "" if value is None else printable(str(value))


def _without_nan(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
