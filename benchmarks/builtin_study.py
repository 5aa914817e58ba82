"""How long the built-in study takes, part by part, and how long again when everything is in the store.

    python benchmarks/builtin_study.py

Prints the table of docs/world.md. The first run is timed in this process, the second as a user starts it.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Clock:
    """A `Track` that notes the seconds of every part; what runs inside a part is part of it."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self._busy = False

    def __call__(self, items: Iterable[T], description: str, total: int) -> Iterator[T]:
        """Yield the items one by one."""
        if self._busy:
            yield from items
            return
        self._busy = True
        started = time.perf_counter()
        try:
            yield from items
        finally:
            self._busy = False
            self.parts[description] = self.parts.get(description, 0.0) + time.perf_counter() - started


def main() -> None:
    """Run the study twice and print the seconds as Markdown."""
    started = time.perf_counter()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does
    import torch

    from lumiscope.report import write_report
    from lumiscope.study import builtin_study, compute

    clock = Clock()
    clock.parts["imports"] = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        study = builtin_study()
        run = compute(study.model_copy(update={"run": dataclasses.replace(study.run, runs=folder)}), track=clock)
        reporting = time.perf_counter()
        write_report(run)
        clock.parts["report"] = time.perf_counter() - reporting
        first = time.perf_counter() - started
        again = time.perf_counter()
        command = [sys.executable, "-m", "lumiscope", "run", "--runs", folder]
        subprocess.run(command, check=True, capture_output=True)
        second = time.perf_counter() - again
    machine = run.manifest.machine
    print(f"{machine.processor}, {machine.cores} cores, torch {torch.__version__}\n")
    print("| part | seconds |\n|---|---|")
    rest = first - sum(clock.parts.values())
    for name, seconds in {**clock.parts, "everything else": rest, "first run": first, "second run": second}.items():
        print(f"| {name} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
