"""How far LIME's coefficients are from those of many samples, for each design, and what lower resolution would save.

    python benchmarks/lime_designs.py
    python benchmarks/lime_designs.py --pictures 3 --budget 4000 --replicates 4

On the real MobileNetV2 and pictures beside the project (../shared): quickshift, hidden in mean colour, the predicted
class, all segments in the model. The reference of a picture is lime's own estimate from --budget Bernoulli samples;
every design is drawn --replicates times with seeds of its own. Prints Markdown; docs/lime.md has its tables.
"""

from __future__ import annotations

import argparse
import itertools
import time
from dataclasses import dataclass, field

import numpy as np
import torch

from lumiscope.attribution import PreparedBatch
from lumiscope.attribution.regions.designs import DESIGNS
from lumiscope.attribution.regions._hiding import hidden_picture
from lumiscope.attribution.regions.lime_estimate import Estimate, Sampled
from lumiscope.attribution.regions._population import proximity
from lumiscope.attribution.regions._stopping import chosen_segments
from lumiscope.images import open_images
from lumiscope.models import Inference, TorchModel
from peers import SHARED, real_model

SIZES = (125, 167, 250, 294, 500)
BASE = ("bernoulli", 500)
TOP = 5
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
    choice = model.choose("auto", "exact", views[:4])
    pictures = [Scene(model, view, model.inference(choice)) for view in views]
    print(f"{len(views)} pictures, {choice.backend} float32, {torch.get_num_threads()} threads, {arguments.budget} ")
    print(f"Bernoulli samples as reference, {arguments.replicates} replicates.\n")
    results = [measured(picture, arguments.budget, arguments.replicates) for picture in pictures]
    print_designs(results)
    print_pictures(pictures, results)
    print_low_resolution(model, pictures)


class Scene:
    """One picture whose segments can be hidden."""

    def __init__(self, model: TorchModel, view: object, inference: Inference) -> None:
        self.prepared = PreparedBatch(model, [view], inference=inference)
        self.target = self.prepared.targets("predicted", [None])[0]
        self.view = self.prepared.views[0]
        self.segments = self.view.segments("quickshift", {})
        self.count = int(self.segments.max()) + 1
        self.hidden = hidden_picture(view.pixels, self.segments, "mean", None, 0)

    def values(self, samples: np.ndarray) -> np.ndarray:
        """(n,) probability of the target."""
        shown, predictor = samples > 0, self.prepared.predictor

        def masks(start: int, stop: int) -> np.ndarray:
            return np.take(shown[start:stop], self.segments, axis=1)

        logits = predictor.masked_logits(self.view.pixels, self.hidden, masks, len(samples))
        return predictor.probabilities_of(logits)[:, self.target.index]


@dataclass
class Result:
    """Of one picture: per (design, samples) the replicates' errors, hits, chosen segments and seconds."""

    reference: np.ndarray
    errors: dict = field(default_factory=dict)
    covered: dict = field(default_factory=dict)
    hits: dict = field(default_factory=dict)
    stable: dict = field(default_factory=dict)
    seconds: dict = field(default_factory=dict)


def measured(picture: Scene, budget: int, replicates: int) -> Result:
    """Draw, look and estimate; designs that draw the same samples share what the model said."""
    samples = DESIGNS["bernoulli"].draw(10**6, budget, picture.count)
    reference = estimate("bernoulli", samples, picture.values(samples))[0].coefficients
    result = Result(reference)
    best = chosen_segments(reference, TOP)
    seen: dict = {}
    for name, design in DESIGNS.items():
        for seed in range(replicates):
            if (design.draw, seed) not in seen:
                drawn = design.draw(seed, max(SIZES), picture.count)
                values, seconds = timed(lambda drawn=drawn: picture.values(drawn))
                seen[design.draw, seed] = drawn, values, seconds / len(drawn)
        for size in SIZES:
            fits, chosen, covered, seconds = [], [], [], []
            for seed in range(replicates):
                drawn, values, each = seen[design.draw, seed]
                (fit, ends), took = timed(lambda n=name, d=drawn, v=values, s=size: estimate(n, d[:s], v[:s]))
                fits.append(fit.coefficients)
                covered.append(((ends[:, 0] <= reference) & (reference <= ends[:, 1])).mean())
                chosen.append(chosen_segments(fit.coefficients, TOP))
                seconds.append(each * size + took)
            key = (name, size)
            result.errors[key] = np.sqrt(np.mean((np.array(fits) - reference) ** 2))
            result.covered[key] = np.mean(covered)
            result.hits[key] = np.mean([overlap(one, best) for one in chosen])
            result.stable[key] = np.mean([overlap(*pair) for pair in itertools.combinations(chosen, 2)])
            result.seconds[key] = np.mean(seconds)
    return result


def estimate(name: str, samples: np.ndarray, values: np.ndarray) -> tuple:
    """The model with all segments, and its intervals."""
    made = Estimate.of(Sampled(samples, values, proximity(samples)), DESIGNS[name])
    fit, kept = made.model(10**6)
    return fit, made.intervals(fit, kept, 0.95)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """The share of chosen segments that both have."""
    return float((one & other).sum() / max(one.sum(), other.sum(), 1))


def print_designs(results: list[Result]) -> None:
    """The table of designs, and with how many samples each reaches the error of 500 Bernoulli samples."""
    print("| design | samples | seconds | coefficient error | relative | top 5 right | top 5 again | intervals hold |")
    print("|---|---|---|---|---|---|---|---|")
    relative = {}
    for name, size in itertools.product(DESIGNS, SIZES):
        key = (name, size)
        relative[key] = np.mean([one.errors[key] / one.errors[BASE] for one in results])

        def mean(part: str, key: tuple = key) -> float:
            return float(np.mean([getattr(one, part)[key] for one in results]))

        print(
            f"| `{name}` | {size} | {mean('seconds'):.2f} | {mean('errors'):.4f} | {relative[key]:.2f} "
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


def print_pictures(pictures: list[Scene], results: list[Result]) -> None:
    """Each picture's error relative to 500 Bernoulli samples."""
    keys = [(name, size) for size in (167, 294) for name in DESIGNS]
    heads = [f"`{name}` {size}" for name, size in keys]
    print("| picture | segments | " + " | ".join(heads) + " |\n|---|---|" + "---|" * len(keys))
    for picture, result in zip(pictures, results, strict=True):
        cells = [f"{result.errors[key] / result.errors[BASE]:.2f}" for key in keys]
        print(f"| {picture.prepared.views[0].item_id} | {picture.count} | " + " | ".join(cells) + " |")
    print()


def print_low_resolution(model: TorchModel, pictures: list[Scene]) -> None:
    """What a control variate from views of lower resolution, through the same network, could save at best.

    c: its cost, as a share of a full evaluation (pixels); r: correlation of both residuals of linear models. With the
    best split of the budget the variance is (sqrt(1 - r^2) + r sqrt(c))^2 of what the budget buys without it.
    """
    print("| side of the cheap view | cost | correlation | variance left at equal cost |\n|---|---|---|---|")
    full_side = model.geometry.input_size[0]
    for side in SIDES:
        cost = (side / full_side) ** 2
        found = []
        for picture in pictures:
            samples = DESIGNS["bernoulli"].draw(0, LOW_SAMPLES, picture.count)
            full, cheap = picture.values(samples), low_values(model, picture, samples, side)
            r = np.corrcoef(residuals(samples, full), residuals(samples, cheap))[0, 1]
            found.append((r, min(1.0, (np.sqrt(1 - r**2) + max(r, 0) * np.sqrt(cost)) ** 2)))
        correlation, left = np.mean(found, axis=0)
        print(f"| {side} | {cost:.2f} | {correlation:.2f} | {left:.2f} |")


def low_values(model: TorchModel, picture: Scene, samples: np.ndarray, side: int) -> np.ndarray:
    """(n,) probability of the target on views made smaller."""
    view, hidden = model.inputs(np.stack([picture.view.pixels, picture.hidden])).contiguous()
    shown, found = samples > 0, []
    with torch.no_grad():
        for start in range(0, len(samples), 8):
            masks = torch.from_numpy(np.take(shown[start : start + 8], picture.segments, axis=1))[:, None]
            small = torch.nn.functional.interpolate(
                torch.where(masks, view, hidden), size=(side, side), mode="bilinear", antialias=True
            )
            found.append(model.module(small).softmax(1)[:, picture.target.index].double().numpy())
    return np.concatenate(found)


def residuals(samples: np.ndarray, values: np.ndarray) -> np.ndarray:
    """What least squares leaves of `values`."""
    columns = np.column_stack([np.ones(len(samples)), samples])
    return values - columns @ np.linalg.lstsq(columns, values, rcond=None)[0]


def timed(work: object) -> tuple:
    """What `work` gives, and its seconds."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


if __name__ == "__main__":
    main()
