"""How long every command takes and how much memory, beside another revision where one is given.

    python benchmarks/commands.py                     # all commands
    python benchmarks/commands.py units why           # some
    python benchmarks/commands.py run --beside v0.1   # side by side with a revision, one after the other, in turns

Each command is started as a user starts it, in a process of its own, on the built-in study's run; the table has the
least seconds and the largest memory of all its runs. Commands of one line are run five times, `run` twice.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODEL = "world:objects"
# What each command is asked; {run} is the folder of the built-in study's run, {new} a folder that is not there yet.
ARGUMENTS = {
    "--help": ["--help"],
    "run": ["run", "--runs", "{new}"],
    "run again": ["run", "--runs", "{runs}"],
    "explain": ["explain", "--images", "world:2", "--model", MODEL, "--out", "{new}/out", "--runs", "{new}"],
    "dissect": ["dissect", "--probe", "world:200@1", "--model", MODEL, "--scorer", "world:clip", "--layers", "stage5",
                "--runs", "{new}"],
    "netdissect": ["netdissect", "--probe", "world:200@1", "--model", MODEL, "--layers", "stage5", "--runs", "{new}"],
    "units": ["units", "{run}", "--concept", "fish"],
    "why": ["why", "{run}", "--image", "world-0-00000"],
    "compare": ["compare", "{run}"],
    "compare --masks": ["compare", "{run}", "--masks", "gradcam=max:0.4"],
    "report": ["report", "{run}"],
    "tune lime": ["tune", "lime", "--images", "world:1", "--model", MODEL, "--samples", "100", "--seeds", "1"],
    "models": ["models", "world:*"],
    "layers": ["layers", MODEL],
    "methods": ["methods"],
    "concepts": ["concepts", "world"],
    "world": ["world", "--out", "{new}/world", "--count", "8"],
}  # fmt: skip
LONG = {"run": 2}
TIMES = 5


@dataclass(frozen=True)
class Cost:
    """Of one process: seconds by the clock, and MB at most."""

    seconds: float
    megabytes: float


def main() -> None:
    """Time the commands and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="*", help="rows of the table; default: all")
    parser.add_argument("--beside", metavar="REV", help="a revision to time in turns with the working tree")
    parser.add_argument("--times", type=int, default=TIMES, help=f"how often; default {TIMES}")
    arguments, more = parser.parse_known_args()
    wanted = [*arguments.commands, *more] or list(ARGUMENTS)
    unknown = [name for name in wanted if name not in ARGUMENTS]
    if unknown:
        parser.error(f"unknown command {unknown[0]}; there are {', '.join(ARGUMENTS)}")
    with tempfile.TemporaryDirectory() as folder:
        trees = {"working tree": ROOT}
        if arguments.beside:
            trees[arguments.beside] = Path(folder, "beside")
            _git("worktree", "add", "--detach", str(trees[arguments.beside]), arguments.beside)
        try:
            _print_table(wanted, trees, Path(folder), arguments.times)
        finally:
            if arguments.beside:
                _git("worktree", "remove", "--force", str(trees[arguments.beside]))


def _print_table(wanted: list[str], trees: dict[str, Path], folder: Path, times: int) -> None:
    runs = {name: folder / f"runs-{number}" for number, name in enumerate(trees)}
    needs_run = any("{run" in part for name in wanted for part in ARGUMENTS[name])
    for name, tree in trees.items():
        if needs_run:
            _timed(tree, ["run", "--runs", str(runs[name])])
    head = [f"{name}: seconds | MB" for name in trees]
    print(f"| command | {' | '.join(head)} |")
    print("|---|" + "---|---|" * len(trees))
    for command in wanted:
        costs: dict[str, list[Cost]] = {name: [] for name in trees}
        for number in range(LONG.get(command, times)):
            for name, tree in trees.items():
                new = folder / f"new-{command}-{number}-{len(costs[name])}-{list(trees).index(name)}".replace(" ", "-")
                places = {"run": str(runs[name] / "world"), "runs": str(runs[name]), "new": str(new)}
                costs[name].append(_timed(tree, [part.format(**places) for part in ARGUMENTS[command]]))
        cells = [
            f"{min(cost.seconds for cost in some):.2f} | {max(cost.megabytes for cost in some):.0f}"
            for some in costs.values()
        ]
        print(f"| {command} | {' | '.join(cells)} |", flush=True)


def _timed(tree: Path, arguments: list[str]) -> Cost:
    """Start a command from the sources of a tree. Errors: `SystemExit` where it fails."""
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "OMP_WAIT_POLICY": "PASSIVE"}
    started = time.perf_counter()
    command = [sys.executable, "-m", "lumiscope", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read() if process.stderr is not None else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        raise SystemExit(f"lumiscope {' '.join(arguments)} failed in {tree}: {said.decode()[-500:]}")
    return Cost(seconds, usage.ru_maxrss / 1024)


def _git(*arguments: str) -> None:
    subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    main()
