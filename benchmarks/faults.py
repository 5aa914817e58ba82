"""What a real machine does to a run, staged: kill -9, a full disk, two processes at once, damage of every file.

    python benchmarks/faults.py                      # all of it, a quarter of an hour
    python benchmarks/faults.py kill disk --kills 5  # some of it

Each line is a kind of fault with how often it was tried and how often lumiscope failed; stderr has each try. It fails
where it shows a traceback or calls a fault a bug, where it ends with a code that `lumiscope --help` does not know,
where something is left that should not be (a half-written file, a lock), and where the run that follows differs by a
byte from one that nothing happened to; after a damage in its tables: what is in the store is made again when needed.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from lumiscope.errors import PathError

os.environ["OMP_NUM_THREADS"] = "1"  # the children are forked, and threads do not survive that

NAME = "run"
STUDY = (
    "run --images world:2 --model world:objects --methods gradcam,lime --option lime.num_samples=20 "
    f"--probe world:24@1 --scorer world:clip --layers stage5 --controls 1 --backend eager --name {NAME}"
).split()
READING = (["report", "{run}"], ["units", "{run}"], ["compare", "{run}"], ["why", "{run}"])
CODES = (0, 1, 2, 3, 130)
LIMITS = (200, 1_000, 3_000, 8_000, 20_000, 50_000, 100_000, 200_000)  # bytes of the largest file that can be written


@dataclass(frozen=True)
class End:
    """How a process ended: exit code (negative: the signal), and what it said."""

    code: int
    said: str

    def fault(self) -> str:
        """What is wrong with that; "" for nothing."""
        if "This is a bug" in self.said or "Traceback" in self.said:
            return f"raw: {self.said.strip()[-300:]}"
        if self.code not in CODES:
            return f"exit code {self.code}"
        return "" if self.code in (0, 3) or self.said.strip() else "no word about what went wrong"


@dataclass
class Tally:
    """How often a fault was tried, and what went wrong."""

    kind: str
    tried: int = 0
    failures: list[str] = field(default_factory=list)

    def count(self, what: str, fault: str) -> None:
        """One more; `fault`: "" where all was well."""
        self.tried += 1
        if fault:
            self.failures.append(f"{what}: {fault}")
        print(f"{self.kind} {self.tried}: {what}: {fault or 'right'}", file=sys.stderr, flush=True)

    def __str__(self) -> str:
        return "\n    ".join([f"{self.kind}: {self.tried} tried, {len(self.failures)} failed", *self.failures])


class Child:
    """A command line in a process of its own, which has nothing left to import."""

    def __init__(self, arguments: list[str], largest_file: int | None = None) -> None:
        self.output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object
        self.process = os.fork()
        if self.process == 0:
            self._run(arguments, largest_file)

    def _run(self, arguments: list[str], largest_file: int | None) -> None:
        from lumiscope.cli import main

        code = 70
        try:
            os.dup2(self.output.fileno(), 1)
            os.dup2(self.output.fileno(), 2)
            sys.stdout = os.fdopen(1, "w", closefd=False)
            sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
            if largest_file is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
            sys.argv = ["lumiscope", *arguments]
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        finally:
            os._exit(code)

    def end(self) -> End:
        """Wait for it."""
        _, status = os.waitpid(self.process, 0)
        self.output.seek(0)
        return End(os.waitstatus_to_exitcode(status), self.output.read().decode(errors="replace"))


def study(runs: Path, largest_file: int | None = None) -> Child:
    """The study of this benchmark under way in a folder of runs."""
    return Child([*STUDY, "--runs", str(runs)], largest_file)


def content(runs: Path) -> dict[str, bytes]:
    """What must be the same whatever happened: tables, and what is in the store. What shards cost is no result."""
    files = (*(runs / NAME / "tables").glob("*"), *(runs / ".store").rglob("*.safetensors"))
    return {str(path.relative_to(runs)): path.read_bytes() for path in files if path.is_file()}


def difference(runs: Path, whole: dict[str, bytes]) -> str:
    """How a finished run differs from one that nothing happened to; "" where it does not."""
    left = [path.name for path in runs.rglob("*") if path.name.endswith(".part") or path.name == "lock.json"]
    if left:
        return f"left behind: {left}"
    now = content(runs)
    differing = sorted(name for name in whole if now.get(name) != whole[name])
    if differing:
        return f"other bytes: {differing[:3]}"
    return "" if (runs / NAME / "report.html").is_file() else "no report"


def resumed(runs: Path, whole: dict[str, bytes]) -> str:
    """Run the study again after a fault; what is wrong then."""
    end = study(runs).end()
    return end.fault() or (f"exit code {end.code}: {end.said[-200:]}" if end.code else difference(runs, whole))


class Faults:
    """All kinds of faults. `kills`: how many; `ways`: in how many each file is damaged."""

    def __init__(self, folder: Path, kills: int, ways: int, seed: int) -> None:
        self.folder = folder
        self.kills = kills
        self.ways = ways
        self.random = random.Random(seed)
        self.runs = folder / "whole"
        if (end := study(self.runs).end()).code:
            raise SystemExit(f"the study does not run even where nothing happens to it: {end.said}")
        self.whole = content(self.runs)
        _prepare(self.runs / NAME / "study.toml", folder / "prepared")
        started = time.monotonic()
        study(folder / "timed").end()
        self.seconds = time.monotonic() - started

    def kill(self) -> Tally:
        """Kill -9 at a random moment, and the run again."""
        tally = Tally("kill -9 at a random moment")
        for number in range(self.kills):
            runs = self.folder / f"kill-{number}"
            child = study(runs)
            time.sleep(self.random.uniform(0, self.seconds))
            os.kill(child.process, signal.SIGKILL)
            child.end()
            tally.count(f"kill {number}", resumed(runs, self.whole))
            shutil.rmtree(runs, ignore_errors=True)
        return tally

    def stop(self) -> Tally:
        """Ctrl-C and SIGTERM."""
        tally = Tally("Ctrl-C and SIGTERM")
        for how in (signal.SIGINT, signal.SIGTERM) * 3:
            runs = self.folder / "stop"
            child = study(runs)
            time.sleep(self.random.uniform(0.3, 0.9) * self.seconds)
            os.kill(child.process, how)
            tally.count(how.name, child.end().fault() or resumed(runs, self.whole))
            shutil.rmtree(runs, ignore_errors=True)
        return tally

    def disk(self) -> Tally:
        """A disk on which files of some size do not fit any more, then space again."""
        tally = Tally("full disk")
        for limit in LIMITS:
            runs = self.folder / f"disk-{limit}"
            fault = study(runs, largest_file=limit).end().fault()
            tally.count(f"{limit} bytes", fault or resumed(runs, self.whole))
            shutil.rmtree(runs, ignore_errors=True)
        return tally

    def two(self) -> Tally:
        """Two processes, the same study, one folder of runs: the second some time after the first."""
        tally = Tally("two processes at once")
        for number in range(6):
            runs = self.folder / f"two-{number}"
            first = study(runs)
            time.sleep(number / 5 * self.seconds)
            ends = [child.end() for child in (study(runs), first)]
            fault = next((end.fault() or f"exit code {end.code}" for end in ends if end.fault() or end.code), "")
            tally.count(f"{number / 5:.0%} later", fault or difference(runs, self.whole))
            shutil.rmtree(runs, ignore_errors=True)
        return tally

    def damage(self) -> Tally:
        """Every file of a run and its store, damaged in some of the ways in turn, read, and made again."""
        tally = Tally("damage of a file")
        said = {command[0]: self._read(self.runs, command).said for command in READING}
        files = sorted(path.relative_to(self.runs) for path in self.runs.rglob("*") if path.is_file())
        paths = (path for path in files for _ in range(self.ways))
        for path, way, command in zip(paths, itertools.cycle(DAMAGES), itertools.cycle(READING), strict=False):
            runs = self.folder / "damage"
            shutil.copytree(self.runs, runs)
            DAMAGES[way](runs / path)
            end = self._read(runs, command)
            fault = end.fault()
            if not fault and end.code == 0 and end.said != said[command[0]] and "is damaged" not in end.said:
                fault = f"{command[0]} says something else, and nothing of the damage"
            tally.count(f"{path} {way}", fault or self._made_again(runs))
            shutil.rmtree(runs)
        return tally

    def _read(self, runs: Path, command: list[str]) -> End:
        end = Child([part.format(run=runs / NAME) for part in command]).end()
        return End(end.code, end.said.replace(str(runs), "RUNS"))

    def _made_again(self, runs: Path) -> str:
        """The study again. Where a folder stands in the place of a file, it may ask for that to be moved."""
        end = study(runs).end()
        asks = end.code == PathError.exit_code and "move away what is there" in end.said
        return end.fault() or ("" if asks else f"exit code {end.code}" if end.code else self._other_tables(runs))

    def _other_tables(self, runs: Path) -> str:
        return difference(runs, {name: held for name, held in self.whole.items() if name.startswith(NAME)})


def _replaced(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.unlink()
        make(path)

    return damage


def _flipped(path: Path) -> None:
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 0xFF
    path.write_bytes(held)


def _halved(path: Path) -> None:
    held = path.read_bytes()
    path.write_bytes(held[: len(held) // 2])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "halved": _halved,
    "flipped": _flipped,
    "text": lambda path: path.write_text("hello world"),
    "deep": lambda path: path.write_text("[" * 100_000),
    "a folder": _replaced(Path.mkdir),
    "a pipe": _replaced(os.mkfifo),
    "a link to nowhere": _replaced(lambda path: path.symlink_to("nowhere")),
}


def _prepare(study_file: Path, runs: Path) -> None:
    """Run the study in this process: those forked from it have nothing left to import, or to read of their code."""
    from lumiscope.running import run
    from lumiscope.study import load_study

    study = load_study(study_file)
    run(study.model_copy(update={"run": replace(study.run, runs=str(runs))}))
    gc.freeze()  # else the children's collector writes to, and so copies, all of this memory


def main() -> int:
    """Stage the faults and print what became of them."""
    kinds = ["kill", "stop", "disk", "two", "damage"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", choices=[[], *kinds], help=f"of {', '.join(kinds)}; default: all")
    parser.add_argument("--kills", type=int, default=30, help="how often to kill (%(default)s)")
    parser.add_argument("--ways", type=int, default=2, help=f"to damage each file, of {len(DAMAGES)} (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (%(default)s)")
    given = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="lumiscope-faults-") as folder:
        faults = Faults(Path(folder), given.kills, given.ways, given.seed)
        for kind in given.kinds or kinds:
            tally: Tally = getattr(faults, kind)()
            print(tally, flush=True)
            failed += len(tally.failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
