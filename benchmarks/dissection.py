"""Seconds and memory of every similarity of units and concepts, and of CLIP-Dissect's way to compute three of them.

    python benchmarks/dissection.py [--images 10000 --concepts 3000 --units 2048] [NAME ...]
    python benchmarks/dissection.py --memory [--images 50000 --concepts 20000 --units 2048] [NAME ...]

The peer's way: torch float32, a loop over the units that gathers the scores of a unit's top images. Both run in turn on
the same numbers, and the largest difference of their results is shown. What would take minutes runs with the first
units only (`--slow-units`), and its seconds are multiplied; the table says so.

`--memory`: each similarity in a process of its own on matrices in files; shows the peak resident memory over what the
process held before, less the result. Memory does not depend on how many blocks of concepts there are, so the slow ones
run with the first `--slow-concepts`, all units and blocks of the usual size; the table says so.
"""

from __future__ import annotations

import argparse
import functools
import math
import multiprocessing
import resource
from collections.abc import Callable, Iterator

import numpy as np
import torch

from lumiscope.columns import ColumnFile
from lumiscope.dissection import SIMILARITIES
from memory import resident
from peers import machine, timed

SLOW = ("average_precision", "f1", "iou", "rank_reorder")
ROWS = 1000


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(SIMILARITIES))
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--images", type=int)
    parser.add_argument("--concepts", type=int)
    parser.add_argument("--units", type=int, default=2048)
    parser.add_argument("--slow-units", type=int, default=256)
    parser.add_argument("--slow-concepts", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(machine() + "\n")
    if arguments.memory:
        show_memory(arguments, arguments.images or 50_000, arguments.concepts or 20_000)
    else:
        show_seconds(arguments, arguments.images or 10_000, arguments.concepts or 3000)


def show_seconds(arguments: argparse.Namespace, num_images: int, num_concepts: int) -> None:
    """One row a similarity: the best of some runs."""
    activations = np.concatenate(list(random_rows(num_images, arguments.units, lowest=0)))
    scores = np.concatenate(list(random_rows(num_images, num_concepts, lowest=-1)))
    print("| similarity | seconds | the peer's way, s | ratio | largest difference | units |\n" + "|---" * 6 + "|")
    for name in arguments.names:
        units = min(arguments.slow_units, arguments.units) if name in SLOW else arguments.units
        some, scale = activations[:, :units], arguments.units / units
        peer = PEERS.get(name)
        ours, theirs, difference = math.inf, math.inf, math.nan
        for _ in range(1 if name in SLOW else arguments.repeats):
            got, seconds = timed(functools.partial(SIMILARITIES[name], some, scores))
            ours = min(ours, seconds * scale)
            if peer is not None:
                wanted, seconds = timed(functools.partial(peer, some, scores))
                theirs = min(theirs, seconds * scale)
                difference = np.abs(got - wanted).max()
        cells = (f"{theirs:.2f}", f"{theirs / ours:.1f}", f"{difference:.1e}") if peer else ("", "", "")
        print(f"| {name} | {ours:.2f} | {' | '.join(cells)} | {units} of {arguments.units} |", flush=True)


def show_memory(arguments: argparse.Namespace, num_images: int, num_concepts: int) -> None:
    """One row a similarity."""
    activations = ColumnFile.from_rows(random_rows(num_images, arguments.units, lowest=0), num_images, arguments.units)
    few = min(arguments.slow_concepts, num_concepts)
    context = multiprocessing.get_context("fork")
    print("| similarity | MiB beyond inputs and result | seconds | concepts |\n" + "|---" * 4 + "|")
    for slow in (True, False):
        width = few if slow else num_concepts
        names = [name for name in arguments.names if (name in SLOW) == slow]
        if not names:
            continue
        scores = ColumnFile.from_rows(random_rows(num_images, width, lowest=-1), num_images, width)
        for name in names:
            queue = context.SimpleQueue()
            child = context.Process(
                target=lambda *task: task[0].put(peak(*task[1:])), args=(queue, name, activations, scores)
            )
            child.start()
            child.join()
            mebibytes, seconds = queue.get()
            print(f"| {name} | {mebibytes:.0f} | {seconds:.0f} | {width} of {num_concepts} |", flush=True)


def peak(name: str, activations: ColumnFile, scores: ColumnFile) -> tuple[float, float]:
    """MiB that the similarity called `name` takes at most, without its result; and its seconds."""
    before = resident()
    result, seconds = timed(lambda: SIMILARITIES[name](activations, scores))
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return highest - before - result.nbytes / 2**20, seconds


def random_rows(num_rows: int, num_columns: int, lowest: float) -> Iterator[np.ndarray]:
    """Scores as image-text encoders give them, around 0.2; with `lowest` = 0 a twentieth part is 0."""
    generator = np.random.default_rng(num_columns)
    for start in range(0, num_rows, ROWS):
        values = generator.standard_normal((min(ROWS, num_rows - start), num_columns), np.float32)
        values *= 0.12 if lowest == 0 else 0.03
        values += 0.2
        yield np.maximum(values, lowest, out=values)


def peer_wpmi(activations: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """REFERENCE of WPMI: softmax of 2 P, the 28 top images, a loop over the units."""
    return _peer_information(activations, scores, 28, 2.0, 0.6, lambda chosen: torch.log(chosen + 1e-7))


def peer_soft_wpmi(activations: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Soft WPMI: softmax of 10 P, the 100 top images with falling membership, a loop over the units."""
    membership = (0.998 - torch.arange(100) / 100 * (0.998 - 0.97)).unsqueeze(1)
    return _peer_information(
        activations, scores, 100, 10.0, 1.0, lambda chosen: torch.log(1 + membership * (chosen - 1) + 1e-7)
    )


def _peer_information(
    activations: np.ndarray,
    scores: np.ndarray,
    top: int,
    sharpness: float,
    weight: float,
    logs: Callable[[torch.Tensor], torch.Tensor],
) -> np.ndarray:
    probabilities = torch.softmax(sharpness * torch.from_numpy(scores), dim=1)
    images = torch.topk(torch.from_numpy(activations), top, dim=0).indices
    rows = []
    for unit in range(images.shape[1]):
        chosen = probabilities.gather(0, images[:, unit : unit + 1].expand(-1, probabilities.shape[1]))
        rows.append(logs(chosen).sum(dim=0, keepdim=True))
    likelihood = torch.cat(rows)
    average = torch.logsumexp(likelihood, dim=0, keepdim=True) - math.log(len(likelihood))
    return (likelihood - weight * average).numpy()


def peer_rank_reorder(activations: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Rank reorder: a loop over the units that sorts the top images' scores for every concept."""
    table = torch.from_numpy(scores)
    count = len(activations) // 20
    top, images = torch.topk(torch.from_numpy(activations), count, dim=0)
    generator = np.random.default_rng(0)  # the permutations that lumiscope takes, so that results can be compared
    permutations = [torch.from_numpy(generator.permutation(count)) for _ in range(5)]
    rows = []
    for unit in range(images.shape[1]):
        chosen = table.gather(0, images[:, unit : unit + 1].expand(-1, table.shape[1]))
        rising = top[:, unit].flip(0)
        order = torch.argsort(chosen, dim=0)
        reordered = torch.zeros_like(chosen).scatter_(0, order, rising.unsqueeze(1).expand(-1, table.shape[1]))
        moved = (top[:, unit : unit + 1] - reordered).abs().pow(3).mean(dim=0)
        baseline = torch.stack(
            [(rising - rising[permutation]).abs().pow(3).mean() for permutation in permutations]
        ).mean()
        rows.append(-moved / baseline / chosen.mean(dim=0).pow(0.5))
    return torch.stack(rows).numpy()


PEERS = {"rank_reorder": peer_rank_reorder, "soft_wpmi": peer_soft_wpmi, "wpmi": peer_wpmi}


if __name__ == "__main__":
    main()
