"""How far LIME's coefficients are from those of many samples, for each design, and what lower resolution would save.

    python benchmarks/lime_designs.py
    python benchmarks/lime_designs.py --pictures 3 --budget 4000 --replicates 4

On the real MobileNetV2 and pictures beside the project (../shared): quickshift, hidden in mean colour, the predicted
class, all segments in the model. The reference of a picture is lime's own estimate from --budget Bernoulli samples;
every design is drawn --replicates times with seeds of its own. Prints Markdown; docs/lime.md has its tables.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch

from lumiscope.attribution import (
    DESIGNS,
    Estimate,
    KeptClasses,
    LimeOptions,
    LimeSamples,
    PreparedBatch,
    Scene,
    take_samples,
)
from lumiscope.images import View, open_images
from lumiscope.models import Session, TorchModel
from lumiscope.types import BoolArray, DoubleArray, Target
from peers import SHARED, real_model, timed

Case: TypeAlias = tuple[str, int]
"""A design and a number of samples."""
SIZES = (125, 167, 250, 294, 500)
BASE: Case = ("bernoulli", 500)
TOP = 5
REFERENCE_SEED = 10**6
SIDES = (160, 112)
LOW_SAMPLES = 200


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=10, help="how many of the ten real pictures")
    parser.add_argument("--budget", type=int, default=12000, help="Bernoulli samples of a picture's reference")
    parser.add_argument("--replicates", type=int, default=6, help="times that each design is drawn")
    arguments = parser.parse_args()
    model = real_model()
    views = [model.view(item) for item in open_images(SHARED / "imagenet10" / "labels.csv")[: arguments.pictures]]
    choice = model.choose_backend("auto", "exact", views[:4])
    pictures = [Picture.of(model, view, model.session(choice)) for view in views]
    print(f"{len(views)} pictures, {choice.backend} float32, {torch.get_num_threads()} threads, {arguments.budget} ")
    print(f"Bernoulli samples as reference, {arguments.replicates} replicates.\n")
    results = [measured(picture, arguments.budget, arguments.replicates) for picture in pictures]
    print_designs(results)
    print_pictures(pictures, results)
    print_low_resolution(model, pictures)


@dataclass(frozen=True)
class Picture:
    """One picture whose segments can be hidden, and the class that is explained."""

    scene: Scene
    target: Target

    @classmethod
    def of(cls, model: TorchModel, view: View, session: Session) -> Picture:
        """Cut a view by quickshift; what is hidden has its segment's mean colour."""
        prepared = PreparedBatch(model, [view], session=session)
        (target,) = prepared.targets("predicted", [None])
        options = LimeOptions(segmenter="quickshift", hide="mean")
        return cls(Scene.of(prepared.views[0], prepared.predictor, options), target)

    def samples(self, design: str, count: int, seed: int) -> LimeSamples:
        """`count` samples of a design; the model is asked for each."""
        scene = dataclasses.replace(self.scene, seed=seed)
        return take_samples(scene, DESIGNS[design], count, KeptClasses(self.target.index))

    def values(self, samples: LimeSamples) -> DoubleArray:
        """(n,) probability of the target."""
        return samples.of(self.target.index).values

    def estimate(self, design: str, samples: LimeSamples) -> tuple[DoubleArray, DoubleArray]:
        """(d,) coefficients of the model with all segments, and (d, 2) their intervals."""
        estimate = Estimate.of(samples.of(self.target.index), DESIGNS[design])
        fit, kept = estimate.model(self.scene.count)
        return fit.coefficients, estimate.intervals(fit, kept, 0.95)


@dataclass(frozen=True)
class Quality:
    """Of one picture, design and number of samples, over the replicates.

    `error`: root mean square error of the coefficients. `covered`: the share of intervals that hold the reference.
    `hits`: the share of the best segments that are the reference's. `stable`: the share that another replicate has,
    too. `seconds`: of one replicate.
    """

    error: float
    covered: float
    hits: float
    stable: float
    seconds: float


Result: TypeAlias = Mapping[Case, Quality]
"""What was measured on one picture."""


def measured(picture: Picture, budget: int, replicates: int) -> Result:
    """Draw, look and estimate; designs that draw the same samples share what the model said."""
    reference, _ = picture.estimate("bernoulli", picture.samples("bernoulli", budget, REFERENCE_SEED))
    taken: dict[tuple[object, int], tuple[LimeSamples, float]] = {}
    qualities = {}
    for name, design in DESIGNS.items():
        for seed in range(replicates):
            if (design.draw, seed) not in taken:
                taken[design.draw, seed] = timed(functools.partial(picture.samples, name, max(SIZES), seed))
        replicated = [taken[design.draw, seed] for seed in range(replicates)]
        for size in SIZES:
            qualities[name, size] = quality(picture, name, size, replicated, reference)
    return qualities


def quality(
    picture: Picture,
    design: str,
    size: int,
    replicates: Sequence[tuple[LimeSamples, float]],
    reference: DoubleArray,
) -> Quality:
    """How good the first `size` samples of each replicate are. `replicates`: samples, and the seconds they took."""
    coefficients, covered, seconds = [], [], []
    for samples, took in replicates:
        (fitted, ends), estimating = timed(functools.partial(picture.estimate, design, samples.first(size)))
        coefficients.append(fitted)
        covered.append(((ends[:, 0] <= reference) & (reference <= ends[:, 1])).mean())
        seconds.append(took / len(samples) * size + estimating)
    chosen, best = [best_segments(fitted) for fitted in coefficients], best_segments(reference)
    return Quality(
        error=float(np.sqrt(np.mean((np.array(coefficients) - reference) ** 2))),
        covered=float(np.mean(covered)),
        hits=float(np.mean([overlap(segments, best) for segments in chosen])),
        stable=float(np.mean([overlap(segments, other) for segments, other in itertools.combinations(chosen, 2)])),
        seconds=float(np.mean(seconds)),
    )


def best_segments(coefficients: DoubleArray) -> BoolArray:
    """(d,): the TOP largest coefficients; fewer where fewer are positive."""
    rank = np.argsort(np.argsort(-coefficients, kind="stable"), kind="stable")
    return np.asarray((rank < TOP) & (coefficients > 0))


def overlap(segments: BoolArray, other: BoolArray) -> float:
    """The share of chosen segments that both have."""
    return float((segments & other).sum() / max(segments.sum(), other.sum(), 1))


def print_designs(results: list[Result]) -> None:
    """The table of designs, and with how many samples each reaches the error of 500 Bernoulli samples."""
    print("| design | samples | seconds | coefficient error | relative | top 5 right | top 5 again | intervals hold |")
    print("|---|---|---|---|---|---|---|---|")
    relative = {}
    for name, size in itertools.product(DESIGNS, SIZES):
        key = (name, size)
        relative[key] = np.mean([result[key].error / result[BASE].error for result in results])

        def mean(part: str, key: Case = key) -> float:
            return float(np.mean([getattr(result[key], part) for result in results]))

        print(
            f"| `{name}` | {size} | {mean('seconds'):.2f} | {mean('error'):.4f} | {relative[key]:.2f} "
            f"| {mean('hits'):.0%} | {mean('stable'):.0%} | {mean('covered'):.0%} |"
        )
    print()
    for name in DESIGNS:
        curve = [np.log(relative[name, size]) for size in SIZES]
        if min(curve) <= 0 <= max(curve):
            needed = np.exp(np.interp(0, curve[::-1], np.log(SIZES)[::-1]))
            print(f"- `{name}` has the error of 500 Bernoulli samples with {needed:.0f}: 1/{500 / needed:.2f}.")
        else:
            print(f"- `{name}`: error {np.exp(curve[0]):.2f} to {np.exp(curve[-1]):.2f} times that of 500 Bernoulli.")
    print()


def print_pictures(pictures: list[Picture], results: list[Result]) -> None:
    """Each picture's error relative to 500 Bernoulli samples."""
    keys = [(name, size) for size in (167, 294) for name in DESIGNS]
    heads = [f"`{name}` {size}" for name, size in keys]
    print("| picture | segments | " + " | ".join(heads) + " |\n|---|---|" + "---|" * len(keys))
    for picture, result in zip(pictures, results, strict=True):
        cells = [f"{result[key].error / result[BASE].error:.2f}" for key in keys]
        print(f"| {picture.scene.view.item_id} | {picture.scene.count} | " + " | ".join(cells) + " |")
    print()


def print_low_resolution(model: TorchModel, pictures: list[Picture]) -> None:
    """What a control variate from views of lower resolution, through the same network, could save at best.

    c: its cost, as a share of a full evaluation (pixels); r: correlation of both residuals of linear models. With the
    best split of the budget the variance is (sqrt(1 - r^2) + r sqrt(c))^2 of what the budget buys without it.
    """
    print("| side of the cheap view | cost | correlation | variance left at equal cost |\n|---|---|---|---|")
    full_side = model.geometry.input_size[0]
    for side in SIDES:
        cost = (side / full_side) ** 2
        savings = []
        for picture in pictures:
            taken = picture.samples("bernoulli", LOW_SAMPLES, seed=0)
            full, cheap = picture.values(taken), low_values(model, picture, taken.samples, side)
            r = np.corrcoef(residuals(taken.samples, full), residuals(taken.samples, cheap))[0, 1]
            savings.append((r, min(1.0, (np.sqrt(1 - r**2) + max(r, 0) * np.sqrt(cost)) ** 2)))
        correlation, left = np.mean(savings, axis=0)
        print(f"| {side} | {cost:.2f} | {correlation:.2f} | {left:.2f} |")


def low_values(model: TorchModel, picture: Picture, samples: DoubleArray, side: int) -> DoubleArray:
    """(n,) probability of the target on views made smaller."""
    scene = picture.scene
    view, hidden = model.inputs(np.stack([scene.view.pixels, scene.hidden])).contiguous()
    shown, values = samples > 0, []
    with torch.no_grad():
        for start in range(0, len(samples), 8):
            masks = torch.from_numpy(np.take(shown[start : start + 8], scene.segments, axis=1))[:, None]
            small = torch.nn.functional.interpolate(
                torch.where(masks, view, hidden), size=(side, side), mode="bilinear", antialias=True
            )
            values.append(model.module(small).softmax(1)[:, picture.target.index].double().numpy())
    return np.concatenate(values)


def residuals(samples: DoubleArray, values: DoubleArray) -> DoubleArray:
    """What least squares leaves of `values`."""
    columns = np.column_stack([np.ones(len(samples)), samples])
    return np.asarray(values - columns @ np.linalg.lstsq(columns, values, rcond=None)[0])


if __name__ == "__main__":
    main()
