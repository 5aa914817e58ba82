"""How far the training is: bars with estimates on a terminal, else a line now and then; all on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

SECONDS_BETWEEN_LINES = 30.0


class Display(Protocol):
    """Shows that `name` has done `done` of `total`; `note`: what else is to be said of it."""

    def __call__(self, name: str, done: int, total: int, note: str = "") -> None:
        """Show it."""
        ...


@contextmanager
def display() -> Iterator[Display]:
    """Show progress until the context ends."""
    if not sys.stderr.isatty():
        yield lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), "{task.percentage:>3.0f}%", TimeElapsedColumn(), "left")
    parts = [TextColumn(column) if isinstance(column, str) else column for column in columns]
    with Progress(
        *parts, TimeRemainingColumn(), TextColumn("{task.fields[note]}"), console=Console(stderr=True)
    ) as bar:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int, note: str = "") -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total, note=note)
            bar.update(tasks[name], completed=done, note=note)

        yield show


def lines(between: float = SECONDS_BETWEEN_LINES) -> Display:
    """Write a line when something begins, every `between` seconds, and when it is done."""
    begun: dict[str, float] = {}
    last: dict[str, float] = {}

    def show(name: str, done: int, total: int, note: str = "") -> None:
        now = time.monotonic()
        first = name not in begun
        begun.setdefault(name, now)
        if not first and done < total and now - last[name] < between:
            return
        last[name] = now
        seconds = now - begun[name]
        if done >= total:
            estimate = f"done in {seconds / 60:.1f} min"
        else:
            estimate = f"about {seconds / done * (total - done) / 60:.0f} min left" if done and not first else "begins"
        said = ", ".join(part for part in (f"{name}: {done} of {total}", note, estimate) if part)
        sys.stderr.write(said + "\n")
        sys.stderr.flush()

    return show
