"""Search LIME's segmenter, samples and features: for true masks, or, without, for stable and faithful ones."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lumiscope.agreement import overlap_with_truth
from lumiscope.attribution import LimeOptions, PreparedBatch, derive_seed
from lumiscope.engines import Report
from lumiscope.errors import UsageError
from lumiscope.images import ImageItem, Skipped
from lumiscope.models import label_index, mask_shows_label
from lumiscope.progress import Track
from lumiscope.study.explaining import Explaining
from lumiscope.study.files import file_names
from lumiscope.study.open_study import OpenStudy
from lumiscope.study.stages.explanation_plan import ExplanationPlan
from lumiscope.study.tuning._lime_trials import LimeTrials, try_out
from lumiscope.study.tuning.lime_search import CutChoice, LimeSearch, Setting, base_setting
from lumiscope.study.tuning.lime_tuning import MASKS, NO_MASKS, Score, Tuning
from lumiscope.trust import Faithfulness, stability
from lumiscope.types import BoolArray, Target

OVERLAP = ("iou", "chance", "ceiling")


@dataclass(frozen=True)
class TuneImage:
    """Try every setting of a search on one image. `cuts`: how many segmenters there are."""

    model: str
    items: tuple[str, ...]
    search: LimeSearch
    cuts: int

    @property
    def key(self) -> str:
        """The image."""
        return f"tuning lime: {self.items[0]}"

    @property
    def subject(self) -> str:
        """The model."""
        return self.model

    @property
    def steps(self) -> int:
        """One for each segmenter."""
        return self.cuts

    def part(self, items: Sequence[str]) -> TuneImage:
        """The same image: it is one."""
        return self

    def lacking(self, study: OpenStudy) -> Sequence[ImageItem]:
        """The image."""
        return study.explained(self.items)

    def run(self, study: OpenStudy, report: Report) -> tuple[list[Score], list[str]]:
        """The scores, and what a reader must know."""
        (item,) = study.explained(self.items)
        plan = study.plans[self.model]
        scores: list[Score] = []
        notes: list[str] = []
        cuts = self.search.cuts(_base(plan))
        for number, of_cut in enumerate(_tune_image(plan, item, self.search, cuts, notes, study.track), 1):
            scores += of_cut
            report(number)
        return scores, notes


def tune_lime(explaining: Explaining, search: LimeSearch, *, stop: bool = False) -> Tuning:
    """Try every setting of `search` on every image; the model is asked once for each segmenter, seed and sample.

    `explaining`: by LIME alone; its options hold for what is not searched, and are the setting that nobody tuned.
    An image with a true mask is tuned for the IoU with it, any other for stability and faithfulness.
    Every score is the mean over the seeds; the first is the one that `explain` uses on that image.
    Errors: `UsageError`; those of images that fail, where all do or with `stop`.
    """
    plan, study = explaining.plan, explaining.study
    base = _base(plan)
    images = study.images or ()
    cuts = len(search.cuts(base))
    tasks = [TuneImage(plan.model.name, (item.id,), search, cuts) for item in images]
    engine = study.engine(stop=stop)
    results = [result for _, result in engine.map(tasks, study, f"tuning lime with {plan.model.name}")]
    scores = tuple(score for of_image, _ in results for score in of_image)
    notes = tuple(note for _, of_image in results for note in of_image)
    names = {item.id: item.name for item in images}
    failed = tuple(Skipped(names[failure.item], failure.reason) for failure in engine.failures)
    return Tuning(scores, base_setting(base), failed, notes)


def tuned_parameters(
    plan: ExplanationPlan, images: Sequence[ImageItem], tuning: Tuning, *, one_for_all: bool = False
) -> dict[str, LimeOptions]:
    """The options to write for each image that was tuned, by its name in a file; `one_for_all`: the same for all."""
    base, names = _base(plan), file_names(images)
    chosen = {image: tuning.for_all(image) if one_for_all else tuning.best(image) for image in tuning.by_image}
    return {
        names[image]: dataclasses.replace(score.setting.over(base), random_seed=_seeds(plan, image, 1)[0])
        for image, score in chosen.items()
    }


def _base(plan: ExplanationPlan) -> LimeOptions:
    if [method.name for method, _ in plan.methods] != ["lime"] or plan.per_image:
        raise UsageError("expected a plan of lime alone, with the same options for all images")
    options: LimeOptions = plan.methods[0][1]
    return options


def _seeds(plan: ExplanationPlan, image: str, count: int) -> list[int]:
    random_seed = _base(plan).random_seed
    first = derive_seed(plan.seed, image, "lime") if random_seed is None else random_seed
    return [first, *(derive_seed(first, image, f"lime {number}") for number in range(1, count))]


def _tune_image(
    plan: ExplanationPlan,
    item: ImageItem,
    search: LimeSearch,
    cuts: Sequence[CutChoice],
    notes: list[str],
    track: Track,
) -> Iterator[list[Score]]:
    """Yield the scores of one image, segmenter by segmenter."""
    prepared, (target,) = plan.prepare([item], track)
    truth = _truth(plan, item, target, notes)
    void = None if item.void is None else plan.model.geometry.mask_on_view(item.void)
    judge = _Judge(prepared, target, truth, void)
    base, seeds = _base(plan), _seeds(plan, item.id, search.seeds)
    numbers = list(search.numbers(base))
    most = max(num_samples for num_samples, _ in numbers)
    for cut in cuts:
        trials = try_out(prepared, target, Setting(cut, most, base.num_features).over(base), seeds)
        yield [judge.score(item.id, Setting(cut, *setting), trials) for setting in numbers]


def _truth(plan: ExplanationPlan, item: ImageItem, target: Target, notes: list[str]) -> BoolArray | None:
    """The true mask on the view, where it has a pixel there; and a note where it shows something else."""
    mask = item.mask
    if mask is None:
        return None
    truth = plan.model.geometry.mask_on_view(mask)
    if not truth.any():
        notes.append(f"{item.id}: nothing of its mask is on the view; it is tuned without")
        return None
    if mask_shows_label(plan.model, item) is False or label_index(plan.model, item) not in (None, target.index):
        notes.append(f"{item.id}: its mask shows {item.class_name}, the class explained is {target.name}")
    return truth


class _Judge:
    """What a setting's masks of one picture, one a seed, are worth."""

    def __init__(
        self, prepared: PreparedBatch, target: Target, truth: BoolArray | None, void: BoolArray | None
    ) -> None:
        self.truth, self.void = truth, void
        self.faithfulness = Faithfulness(prepared, target) if truth is None else None

    def score(self, image: str, setting: Setting, trials: Sequence[LimeTrials]) -> Score:
        """The means over the seeds."""
        masks = [trial.mask(setting.num_samples, setting.num_features) for trial in trials]
        facts: dict[str, Any] = {
            "image": image,
            "setting": setting,
            "stability": stability(masks),
            "area": float(np.mean(masks)),
            "segments": trials[0].segment_count,
            "seconds": float(np.mean([trial.seconds_for(setting.num_samples) for trial in trials])),
        }
        if self.truth is not None:
            overlaps = [overlap_with_truth(mask, self.truth, self.void) for mask in masks]
            parts: dict[str, Any] = {
                name: float(np.mean([getattr(agreement, name) for agreement in overlaps])) for name in OVERLAP
            }
            return Score(tuned_for=MASKS, quality=parts["iou"], **parts, **facts)
        assert self.faithfulness is not None
        faithfulness = float(np.mean(self.faithfulness.of(masks)))
        quality = math.sqrt(max(facts["stability"], 0.0) * max(faithfulness, 0.0))
        return Score(tuned_for=NO_MASKS, quality=quality, faithfulness=faithfulness, **facts)
