"""The price of trust: curves of both orders beside a plain loop, and ROAD's filling beside scipy's sparse solver.

    OMP_NUM_THREADS=1 python benchmarks/trust.py                  # everything: about 10 minutes on one core
    OMP_NUM_THREADS=1 python benchmarks/trust.py --images 2 --parts curves

Prints Markdown. Both sides do the same in one run, in turn, on the same threads. Needs the folder `shared` beside the
project. The plain loop asks the network, a plain torch module, one picture at a time, with the same masks.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import time
from collections.abc import Sequence

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from lumiscope.attribution import METHODS, PreparedBatch
from lumiscope.images import View, open_images
from lumiscope.models import Precision, TorchModel
from lumiscope.trust import METRICS as TRUST_METRICS
from lumiscope.trust import Candidate, Curves, JudgedView, Undefined, curves_of, default_metrics
from lumiscope.trust._filling import Filling
from lumiscope.trust.curves import STEPS
from lumiscope.trust.ties import tie_blocks
from lumiscope.types import BoolArray, DoubleArray
from peers import SHARED, machine, real_model

MAPS = ("gradcam", "layercam", "input_x_gradient", "gaussian")
WANTED = {"exact": 5, "fast": 10}
FRACTIONS = np.arange(1, 11) / 11


def main() -> None:
    """The parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10, help="at most so many pictures")
    parser.add_argument("--parts", nargs="+", choices=tuple(PARTS), default=tuple(PARTS))
    arguments = parser.parse_args()
    print(f"{machine()}; Quantus: {quantus()}\n")
    model = real_model()
    views = [model.view(item) for item in open_images(SHARED / "imagenet10" / "labels.csv")[: arguments.images]]
    for part in arguments.parts:
        PARTS[part](model, views)
        print()


def quantus() -> str:
    """Whether the peer can be timed."""
    if importlib.util.find_spec("quantus") is None:
        return "not installed, so not timed"
    return "installed, but its curves of RGB pictures are not these (trust.md), so not timed"


def curves(model: TorchModel, views: Sequence[View]) -> None:
    """Both orders of curves of four methods."""
    print(f"| {len(views)} pictures × {len(MAPS)} methods | passes | plain loop, s | lumiscope, s | ratio (wanted) |")
    print("|---|---|---|---|---|")
    candidates = [candidates_of(model, view) for view in views]
    for precision, wanted in WANTED.items():
        loop, ours, passes = 0.0, 0.0, 0
        session = session_of(model, precision, views)
        differences = []
        for view, maps in zip(views, candidates, strict=True):
            prepared = PreparedBatch(model, [view], session=session)
            (target,) = prepared.targets("predicted", [None])
            started = time.perf_counter()
            came = curves_of(JudgedView(prepared, target), maps)
            ours += time.perf_counter() - started
            started = time.perf_counter()
            expected = [plain_curves(model, view, target.index, candidate.values) for candidate in maps]
            loop += time.perf_counter() - started
            passes += sum(2 * len(plain.shares) - 2 for plain in expected)
            differences += [
                abs(curve.between - plain.between)
                for curve, plain in zip(came, expected, strict=True)
                if not isinstance(curve, Undefined)
            ]
        ratio = f"**{loop / ours:.1f}** ({wanted})"
        print(f"| {precision} | {passes} | {loop:.1f} | {ours:.1f} | {ratio} |")
        print(f"| largest difference of an area | | | {max(differences):.0e} | |", flush=True)


def session_of(model: TorchModel, precision: Precision, views: Sequence[View]):  # type: ignore[no-untyped-def]
    """How lumiscope runs the model, chosen and warmed before."""
    session = model.session(model.choose_backend("auto", precision, views[:4]))
    session.logits(model.inputs(views[:1]))
    return session


def candidates_of(model: TorchModel, view: View) -> list[Candidate]:
    """Maps of one view."""
    maps = []
    for name in MAPS:
        method = METHODS[name]
        prepared = PreparedBatch(model, [view], layer=model.target_layer if method.needs_layer else None)
        maps += method.explain(prepared, prepared.targets("predicted", [None]), method.options(None))
    return [Candidate.of(saliency) for saliency in maps]


def plain_curves(model: TorchModel, view: View, target: int, values: DoubleArray) -> Curves:
    """Both orders, one picture at a time by the torch module as it is."""
    image = model.inputs([view])[0]
    hidden = model.inputs(np.broadcast_to(np.rint(view.pixels.mean((0, 1))).astype(np.uint8), view.pixels.shape)[None])[
        0
    ]

    def logit(shown: BoolArray) -> float:
        with torch.no_grad():
            return float(model.module(torch.where(torch.from_numpy(shown), image, hidden)[None])[0, target])

    block, ends = tie_blocks(values, STEPS)
    nothing, everything = logit(block < 0), logit(block >= 0)
    without = [logit(block > step) for step in range(len(ends) - 1)]
    alone = [logit(block <= step) for step in range(len(ends) - 1)]
    fall = everything - nothing
    return Curves(
        np.append(0, ends),
        (np.array([everything, *without, nothing]) - nothing) / fall,
        (np.array([nothing, *alone, everything]) - nothing) / fall,
    )


def filling(model: TorchModel, views: Sequence[View]) -> None:
    """ROAD's filling at ten shares of both orders, of two maps a picture."""
    torch.set_num_threads(1)
    print("| map | spsolve, s a hole | lumiscope, s a hole | ratio | largest relative error |\n|---|---|---|---|---|")
    for name in ("gradcam", "input_x_gradient"):
        theirs, ours, errors = 0.0, 0.0, []
        for view in views:
            (candidate,) = (candidate for candidate in candidates_of(model, view) if candidate.name == name)
            image = model.inputs([view])[0].contiguous()
            ranks = candidate.values.ravel().argsort(kind="stable").argsort().reshape(candidate.values.shape)
            masks = [
                order for share in FRACTIONS for order in (ranks >= share * ranks.size, ranks < share * ranks.size)
            ]
            fill = Filling(image, 0)
            for mask in masks:
                started = time.perf_counter()
                direct = solved(image.double().numpy(), mask)
                theirs += time.perf_counter() - started
                started = time.perf_counter()
                came = fill(torch.from_numpy(mask[None]))[0]
                ours += time.perf_counter() - started
                smooth = came.double().numpy() - fill.noise.double().numpy() * ~mask
                errors.append(np.linalg.norm(smooth - direct) / np.linalg.norm(direct))
        holes = 2 * len(FRACTIONS) * len(views)
        print(
            f"| {name} | {theirs / holes:.4f} | {ours / holes:.4f} | **{theirs / ours:.1f}** | {max(errors):.0e} |",
            flush=True,
        )


def solved(image: DoubleArray, shown: BoolArray) -> DoubleArray:
    """(C, H, W) the same system by scipy's sparse solver, all channels at once."""
    rows, columns = np.nonzero(~shown)
    number = np.full(shown.shape, -1)
    number[rows, columns] = np.arange(len(rows))
    degree, known = np.zeros(len(rows)), np.zeros((len(rows), len(image)))
    entries = []
    for down, right in itertools.product((-1, 0, 1), repeat=2):
        row, column = rows + down, columns + right
        inside = (row >= 0) & (row < shown.shape[0]) & (column >= 0) & (column < shown.shape[1]) & bool(down or right)
        here, row, column = np.flatnonzero(inside), row[inside], column[inside]
        weight = 1 / 12 if down and right else 1 / 6
        degree[here] += weight
        free = number[row, column] >= 0
        known[here[~free]] += weight * image[:, row[~free], column[~free]].T
        entries.append((here[free], number[row, column][free], np.full(free.sum(), -weight)))
    each = np.arange(len(rows))
    here, there, weights = (np.concatenate(part) for part in zip(*entries, (each, each, degree), strict=True))
    picture = image.copy()
    picture[:, ~shown] = spsolve(coo_matrix((weights, (here, there))).tocsc(), known).T
    return picture


def metrics(model: TorchModel, views: Sequence[View]) -> None:
    """Seconds of each metric, each on a fresh view, by torch in float32; and of all defaults together."""
    del model
    from lumiscope.models import load_model

    world = load_model("world:objects")
    items = open_images("world:10")[: len(views)]
    print("| metric, on pictures of the world | s a picture, 4 maps |\n|---|---|")
    seconds = {}
    for names in ([name] for name in TRUST_METRICS):
        seconds[names[0]] = timed_metrics(world, items, names)
        print(f"| {names[0]} | {seconds[names[0]]:.2f} |", flush=True)
    print(f"| all defaults together | {timed_metrics(world, items, default_metrics()):.2f} |")


def timed_metrics(model: TorchModel, items, names: Sequence[str]) -> float:  # type: ignore[no-untyped-def]
    """Seconds a picture."""
    total = 0.0
    for item in items:
        view = model.view(item)
        candidates = candidates_of(model, view)
        prepared = PreparedBatch(model, [view], session=session_of(model, "exact", [view]))
        judged = JudgedView(prepared, prepared.targets("predicted", [None])[0])
        started = time.perf_counter()
        for name in names:
            TRUST_METRICS[name].measure(judged, candidates)
        total += time.perf_counter() - started
    return total / len(items)


PARTS = {"curves": curves, "filling": filling, "metrics": metrics}

if __name__ == "__main__":
    main()
