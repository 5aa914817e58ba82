"""The exam of methods and of metrics, where the truth is known: which explanations are right, which numbers tell so?

    python benchmarks/trust_exam.py
    python benchmarks/trust_exam.py --images 20 --metrics "pointing_game,energy,true_effects"

Explains what `world:objects` says of pictures that no model was trained on, and judges the maps of methods and of
baselines that know nothing by every metric. Four questions:

1. What does each method score, and do the methods beat the baselines?
2. Which metric orders maps of a picture as their correlation with the true effects does? Without the baselines, too.
3. What do the things of the world truly do?
4. BAM's three numbers of each method, between `world:objects` and `world:scenes`.

LIME hides segments 300 times and not 1,000, as a picture of the world has 11 to 19 of them; all else is as it is.
Metrics that explain changed views again (`needs` explainer) are left out unless they are named: they cost ten
explanations a map. Prints Markdown.
"""

from __future__ import annotations

import argparse
import functools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from exam_of_bam import bam
from lumiscope.attribution import METHODS, PreparedBatch, look_inside
from lumiscope.images import ImageItem, View, open_images
from lumiscope.models import Session, TorchModel, load_model
from lumiscope.statistics import mean_interval, sign_flip_test
from lumiscope.trust import METRICS, Candidate, JudgedView, TrueEffects, Undefined, baseline_maps, true_effects
from lumiscope.trust.ties import expected_rank_correlation
from lumiscope.types import BoolArray, DoubleArray, FedArray, Target

SEED = 1_003  # no model of the world was trained on it
PROMISED = ("gradcam", "ablationcam", "scorecam", "lime")
EXAMINED = (*PROMISED, "gradcampp", "layercam", "eigencam", "integrated_gradients", "input_x_gradient", "saliency")
OPTIONS: Mapping[str, Mapping[str, Any]] = {"lime": {"num_samples": 300}}  # a picture has 11 to 19 segments
BEATEN = ("random", "centred")
BY = ("pointing_game", "energy", "rank_accuracy", "true_effects")
TRUTH = "true_effects"
COLUMNS = 5  # metrics in one table
Bounds: TypeAlias = tuple[float, float] | None


@dataclass(frozen=True)
class Exam:
    """`scores`: metric -> (images, candidates), NaN where undefined. `candidates`: names, methods first."""

    candidates: tuple[str, ...]
    scores: Mapping[str, DoubleArray]
    effects: tuple[TrueEffects, ...]
    reasons: Mapping[str, str]

    def of(self, metric: str, candidate: str) -> DoubleArray:
        """(images,) scores of one candidate."""
        return np.asarray(self.scores[metric][:, self.candidates.index(candidate)])


@dataclass(frozen=True)
class Examined:
    """A network, how it is run, and the methods that explain it."""

    model: TorchModel
    session: Session
    methods: tuple[str, ...]

    @classmethod
    def of(cls, spec: str, items: Sequence[ImageItem], methods: Sequence[str]) -> Examined:
        """Load a network of the world and choose what runs it."""
        model = look_inside(load_model(spec), "this exam")
        choice = model.choose_backend("auto", "exact", [model.view(item) for item in items[:4]])
        return cls(model, model.session(choice), tuple(methods))

    def prepared(self, views: Sequence[View]) -> PreparedBatch:
        """Views, ready to be explained."""
        return PreparedBatch(self.model, views, layer=self.model.target_layer, session=self.session)

    def explain(self, prepared: PreparedBatch, target: Target) -> list[Candidate]:
        """One map a method of a single view."""
        (view,) = prepared.views
        return [
            Candidate.of(saliency, functools.partial(self.explained_again, name, view, target))
            for name in self.methods
            for saliency in METHODS[name].explain(prepared, [target], options_of(name))
        ]

    def explained_again(self, name: str, view: View, target: Target, pictures: Sequence[FedArray]) -> list[DoubleArray]:
        """Maps of changed versions of a view."""
        prepared = self.prepared([replace(view, pixels=picture) for picture in pictures])
        maps = METHODS[name].explain(prepared, [target] * len(pictures), options_of(name))
        return [saliency.values.astype(np.float64) for saliency in maps]


def options_of(method: str) -> object:
    """Of a method in the exam."""
    return METHODS[method].options(OPTIONS.get(method))


def sit(examined: Examined, items: Sequence[ImageItem], metrics: Sequence[str]) -> Exam:
    """Judge every map of every picture by every metric."""
    rows, effects, reasons = [], [], {}
    candidates: list[Candidate] = []
    for item in items:
        prepared = examined.prepared([examined.model.view(item)])
        (target,) = prepared.targets("predicted", [None])
        truth = true_effects(examined.model, item, target)
        assert truth is not None
        view = JudgedView(prepared, target, truth=on_view(examined, item), effects=truth)
        candidates = [*examined.explain(prepared, target), *baseline_maps(view.size, view.seed)]
        row = []
        for name in metrics:
            scores = METRICS[name].measure(view, candidates)
            reasons.update((name, score.reason) for score in scores if isinstance(score, Undefined))
            row.append([np.nan if isinstance(score, Undefined) else score for score in scores])
        rows.append(row)
        effects.append(truth)
    table = np.array(rows, np.float64)
    names = tuple(candidate.name for candidate in candidates)
    return Exam(names, {name: table[:, at] for at, name in enumerate(metrics)}, tuple(effects), reasons)


def on_view(examined: Examined, item: ImageItem) -> BoolArray:
    """The true mask."""
    assert item.mask is not None
    return examined.model.geometry.mask_on_view(item.mask)


def bounds_of(metric: str) -> Bounds:
    """Between which a metric lies; None where it has no bound on a side."""
    low, high = METRICS[metric].range
    return None if low is None or high is None else (low, high)


def told(values: DoubleArray, bounds: Bounds = None) -> str:
    """The mean over images of what is known, with its 95 % interval."""
    known = values[np.isfinite(values)]
    if not len(known):
        return "–"
    low, high = mean_interval(known, bounds=bounds)
    return f"{known.mean():.2f}" if np.isnan(low) else f"{known.mean():.2f} [{low:.2f}, {high:.2f}]"


def score_tables(exam: Exam) -> str:
    """What every candidate scores."""
    names, maps = list(exam.scores), exam.candidates
    groups = [names[at : at + COLUMNS] for at in range(0, len(names), COLUMNS)]
    return "\n\n".join(
        table(["map", *group], [[one, *(told(exam.of(name, one), bounds_of(name)) for name in group)] for one in maps])
        for group in groups
    )


def beaten_table(exam: Exam, methods: Sequence[str]) -> str:
    """By how much methods are better than baselines, image by image."""
    rows = []
    for method in methods:
        for metric in (name for name in BY if name in exam.scores):
            gains = [exam.of(metric, method) - exam.of(metric, baseline) for baseline in BEATEN]
            known = [gain[np.isfinite(gain)] for gain in gains]
            bounds = bounds_of(metric)
            span = None if bounds is None else (bounds[0] - bounds[1], bounds[1] - bounds[0])
            verdict = "yes" if max(map(sign_flip_test, known)) < 0.01 else "**no**"
            rows.append([method, metric, *(told(gain, span) for gain in known), verdict])
    return table(["method", "metric", *(f"more than {name}" for name in BEATEN), "beats both"], rows)


def metric_table(exam: Exam) -> str:
    """For every metric how well it orders the maps of a picture as the true effects do, best first."""
    methods = [at for at, name in enumerate(exam.candidates) if name in METHODS]
    columns: Sequence[Sequence[int]] = (range(len(exam.candidates)), methods)
    agreements = {name: [agreement(exam, name, chosen) for chosen in columns] for name in exam.scores if name != TRUTH}
    order = sorted(agreements, key=lambda name: -np.nanmean(agreements[name][1]))
    header = ["metric", "with baselines", "methods alone", "pictures", "verdict", "default"]
    return table(
        header,
        [
            [
                f"`{name}`",
                *(told(values, (-1, 1)) for values in agreements[name]),
                str(int(np.isfinite(agreements[name][1]).sum())),
                METRICS[name].verdict,
                "yes" if METRICS[name].by_default else "",
            ]
            for name in order
        ],
    )


def agreement(exam: Exam, name: str, chosen: Sequence[int]) -> DoubleArray:
    """(images,) rank correlation over the chosen candidates of a metric, good ones high, with the true effects."""
    sign = 1 if METRICS[name].direction == "higher" else -1
    pairs = zip(sign * exam.scores[name][:, chosen], exam.scores[TRUTH][:, chosen], strict=True)
    both = [(values, truth, np.isfinite(values + truth)) for values, truth in pairs]
    return np.array([expected_rank_correlation(values[known], truth[known]) for values, truth, known in both])


def effects_table(exam: Exam) -> str:
    """What things do, kind by kind."""
    kinds = sorted({kind for effects in exam.effects for kind in effects.kinds})
    rows = []
    for kind in kinds:
        drops = [effects.drops[np.array(effects.kinds) == kind] for effects in exam.effects]
        shares = [effects.drops / np.abs(effects.drops).max() for effects in exam.effects]
        of_kind = [share[np.array(e.kinds) == kind] for share, e in zip(shares, exam.effects, strict=True)]
        matters = np.concatenate([np.abs(share) > 0.05 for share in of_kind])
        against = np.concatenate([share < -0.05 for share in of_kind])
        means = np.array([each.mean() for each in drops if len(each)])
        count = sum(map(len, drops)) / len(drops)
        rows.append([kind, f"{count:.1f}", told(means), f"{matters.mean():.0%}", f"{against.mean():.0%}"])
    return table(["things", "in a picture", "mean effect in logits", "more than 5 % of the largest", "against"], rows)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, ["---"] * len(header), *rows])


def chosen_metrics(wanted: str) -> list[str]:
    """The metrics to judge by, the truth among them."""
    if wanted:
        return list(dict.fromkeys([*METRICS.select(wanted.split(",")), TRUTH]))
    return [name for name, metric in METRICS.items() if "explainer" not in metric.needs]


def main() -> None:
    """Sit the exam."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=200, help="pictures to explain (%(default)s)")
    parser.add_argument("--bam", type=int, default=40, help="of which for BAM's numbers, four maps each (%(default)s)")
    parser.add_argument("--metrics", default="", help="metrics to judge by, with commas; empty: all that are cheap")
    parser.add_argument("--methods", default=",".join(EXAMINED), help="(%(default)s)")
    given = parser.parse_args()
    items = open_images(f"world:{given.images}@{SEED}")
    methods = given.methods.split(",")
    started = time.process_time()
    objects = Examined.of("world:objects", items, methods)
    exam = sit(objects, items, chosen_metrics(given.metrics))
    print(f"world:objects on world:{given.images}@{SEED}, target predicted; means over pictures, 95 % intervals.\n")
    print(f"### What maps score\n\n{score_tables(exam)}\n")
    print(f"### Do methods beat what knows nothing?\n\n{beaten_table(exam, methods)}\n")
    print(f"### Which metric orders maps as the true effects do?\n\n{metric_table(exam)}\n")
    print(f"### What things do\n\n{effects_table(exam)}\n")
    if given.bam:
        numbers = bam(objects, Examined.of("world:scenes", items, methods), items[: given.bam])
        bounds = (None, (0, 1), (0, 1))
        rows = [[name, *map(told, values, bounds)] for name, values in zip(methods, numbers, strict=True)]
        counts = ", ".join(str(int(np.isfinite(values).sum())) for values in numbers[0])
        print("### BAM\n\n" + table(["map", "model contrast", "input dependence", "input independence"], rows))
        print(f"\nPictures: {counts}.")
    for name, reason in exam.reasons.items():
        print(f"\n`{name}` is undefined in places: {reason}.")
    print(f"\n{time.process_time() - started:.0f} s of one core")


if __name__ == "__main__":
    main()
