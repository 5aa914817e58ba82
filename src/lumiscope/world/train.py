"""Make the world's networks again: `python -m lumiscope.world.train`.

The training pictures are rendered once, into a temporary folder; then each network is trained from scratch on one
thread, as many at a time as there are workers. What comes out depends on the seed, not on the number of workers.
"""

from __future__ import annotations

import argparse
import functools
import math
import multiprocessing
import os
import queue
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from lumiscope.errors import LumiscopeError, UnknownNameError, UsageError
from lumiscope.world import renderer_version
from lumiscope.world.pretrained import NAMES, WEIGHTS, save_weights
from lumiscope.world.training.classify import SHARE_MARKED, classification
from lumiscope.world.training.contrast import contrast
from lumiscope.world.training.display import Display, display
from lumiscope.world.training.fit import Task, fit, total_steps
from lumiscope.world.training.pictures import Pictures, open_pictures, render_pictures

SEED = 90_000
IMAGES = 24_000
MARKS = 100  # pictures with each class's mark
EPOCHS: Mapping[str, float] = {"clip": 9, "objects": 6, "shortcut": 6, "scenes": 3}
"""In the order in which workers take them: the longest first."""
DESCRIPTION = (
    "Train the world's networks and write their weights; without --out they replace those of the package. The pictures "
    "take 50 MB a thousand in the folder for temporary files."
)
EVERY = 10  # steps between reports

Report = tuple[str, int, int, str]
T = TypeVar("T")


def make_task(name: str, pictures: Pictures) -> Task:
    """The network `name`, one of NAMES, with what it is to learn."""
    if name == "clip":
        return contrast(pictures)
    if name == "scenes":
        return classification(pictures, "scene")
    return classification(pictures, "object", share_marked=SHARE_MARKED if name == "shortcut" else 0.0)


def train_one(
    name: str, pictures: Pictures, seed: int, epochs: float, report: Display | None = None
) -> torch.nn.Module:
    """Train the network `name` from scratch on the calling thread; nobody's random state moves."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        task = make_task(name, pictures)
    rng = np.random.default_rng((seed, NAMES.index(name)))
    steps = total_steps(len(pictures), epochs)
    recent = float("nan")
    for step, loss in enumerate(fit(task, len(pictures), epochs, rng), 1):
        recent = loss if step == 1 else 0.95 * recent + 0.05 * loss
        if report and (step % EVERY == 0 or step in (1, steps)):
            report(name, step, steps, f"loss {recent:.3f}")
    return task.module


def train(
    names: Sequence[str], out: Path, *, seed: int, images: int, effort: float, workers: int, show: Display
) -> list[Path]:
    """Render the training pictures, train `names` on them and write their weights to the folder `out`."""
    with tempfile.TemporaryDirectory(prefix="lumiscope-world-") as folder:
        render_pictures(Path(folder), images, seed, marks=MARKS, workers=workers, track=functools.partial(_track, show))
        return _train_all(names, Path(folder), out, seed, effort, workers, show)


def _track(show: Display, items: Iterable[T], description: str, total: int) -> Iterator[T]:
    for done, item in enumerate(items):
        show(description, done, total)
        yield item
    show(description, total, total)


def _train_all(
    names: Sequence[str], folder: Path, out: Path, seed: int, effort: float, workers: int, show: Display
) -> list[Path]:
    context = multiprocessing.get_context("spawn")
    ordered = [name for name in EPOCHS if name in names]
    with context.Manager() as manager, ProcessPoolExecutor(workers, context) as pool:
        reports: queue.Queue[Report] = manager.Queue()
        jobs: list[Future[Path]] = [
            pool.submit(_train_job, name, folder, out, seed, EPOCHS[name] * effort, reports) for name in ordered
        ]
        while not all(job.done() for job in jobs):
            try:
                show(*reports.get(timeout=0.5))
            except queue.Empty:
                continue
        while not reports.empty():
            show(*reports.get())
        return [job.result() for job in jobs]


def _train_job(name: str, folder: Path, out: Path, seed: int, epochs: float, reports: queue.Queue[Report]) -> Path:
    torch.set_num_threads(1)
    pictures = open_pictures(folder)
    module = train_one(name, pictures, seed, epochs, lambda *said: reports.put((*said, "")[:4]))
    notes = {
        "name": name,
        "seed": str(seed),
        "images": str(len(pictures)),
        "epochs": f"{epochs:g}",
        "steps": str(total_steps(len(pictures), epochs)),
        "renderer": renderer_version(),
        "torch": torch.__version__,
    }
    return save_weights(module, name, out, notes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    try:
        given = _parser().parse_args(arguments)
        unknown = [name for name in given.only or () if name not in NAMES]
        if unknown:
            raise UnknownNameError("network of the world", unknown[0], NAMES)
        if not min(given.images, given.workers, given.effort) > 0 or not math.isfinite(given.effort):
            raise UsageError("expected --images, --workers and --effort above 0, and finite")
        # Found out now, and not after half an hour of training.
        given.out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=given.out).close()
        with display() as show:
            paths = train(
                given.only or NAMES,
                given.out,
                seed=given.seed,
                images=given.images,
                effort=given.effort,
                workers=given.workers,
                show=show,
            )
    except LumiscopeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"cannot write to {error.filename or given.out}: {error.strerror}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped: weights of the networks that were done are kept\n")
        return 130
    for path in paths:
        sys.stdout.write(f"{path}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lumiscope.world.train", description=DESCRIPTION)
    parser.add_argument("--only", action="append", metavar="NAME", help=f"one of {', '.join(NAMES)}; may be repeated")
    parser.add_argument("--out", type=Path, default=WEIGHTS, metavar="DIR", help="where the weights go (%(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="of pictures, first weights and order (%(default)s)")
    parser.add_argument("--images", type=int, default=IMAGES, help="how many pictures to train on (%(default)s)")
    parser.add_argument(
        "--effort", type=float, default=1.0, help="multiplies the epochs of every network (%(default)s)"
    )
    parser.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 4), help="processes (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
