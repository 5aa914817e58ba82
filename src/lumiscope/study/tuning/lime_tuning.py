"""What a search for LIME's parameters found: every score, what is best, and what that is worth on other images."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lumiscope.images import Skipped
from lumiscope.study.tuning.lime_search import Setting

TOLERANCE = 0.01
MASKS = "IoU with the mask"
NO_MASKS = "stability and faithfulness"
WARNING = (
    "Settings tuned to masks are fitted to these masks: on the same images they look better than they are. What to "
    "expect elsewhere says `held out`: the one setting that is best on all other images."
)


@dataclass(frozen=True)
class Score:
    """One setting on one image, as means over seeds.

    `tuned_for`: MASKS or NO_MASKS. `quality`: what is searched for, in [0, 1]: the IoU with the true mask, or the
    geometric mean of `stability` and `faithfulness`, each at least 0. `iou`, `chance`, `ceiling`: NaN without a true
    mask; `faithfulness`: NaN with one. `area`: share of the view that the mask covers. `segments`: how many the view
    was cut into. `seconds`: cutting, and its share of the forward passes.
    """

    image: str
    setting: Setting
    tuned_for: str
    quality: float
    stability: float
    area: float
    segments: int
    seconds: float
    iou: float = math.nan
    chance: float = math.nan
    ceiling: float = math.nan
    faithfulness: float = math.nan

    def row(self) -> dict[str, Any]:
        """Everything, flat."""
        cut, numbers = self.setting.cut, {"samples": self.setting.num_samples, "features": self.setting.num_features}
        rest = {name: value for name, value in vars(self).items() if name not in ("image", "setting")}
        return {"image": self.image, "segmenter": str(cut), **numbers, **rest}


@dataclass(frozen=True)
class TunedImage:
    """What is best for one image. `held_out`, `usual`: the quality, there, of the setting that is best for the other
    images (NaN where there are none), and of the one that nobody tuned."""

    best: Score
    held_out: float
    usual: float

    def row(self) -> dict[str, Any]:
        """Everything, flat."""
        return {**self.best.row(), "held_out": self.held_out, "usual": self.usual}


@dataclass(frozen=True)
class TuningSummary:
    """Mean qualities over the images that are tuned for the same thing, and the one setting for all of them.

    `tuned`: each image's own best. `one_for_all`: the one best setting, on the images that chose it. `held_out`:
    leave-one-out. `usual`: not tuned. `chance`, `ceiling`: of the IoU of the tuned masks.
    """

    tuned_for: str
    images: int
    setting_for_all: str
    usual_setting: str
    tuned: float
    one_for_all: float
    held_out: float
    usual: float
    chance: float
    ceiling: float


@dataclass(frozen=True)
class Tuning:
    """All scores, image by image. `base`: the setting that nobody tuned. `failed`: images that could not be tried."""

    scores: tuple[Score, ...]
    base: Setting
    failed: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()

    @functools.cached_property
    def by_image(self) -> dict[str, dict[str, Score]]:
        """Image -> setting, as text -> score, in the order in which they were tried."""
        scores_of: dict[str, dict[str, Score]] = {}
        for score in self.scores:
            scores_of.setdefault(score.image, {})[str(score.setting)] = score
        return scores_of

    @functools.cached_property
    def groups(self) -> dict[str, list[str]]:
        """What is searched for -> the images that are tuned for it."""
        groups: dict[str, list[str]] = {}
        for image, scores in self.by_image.items():
            groups.setdefault(next(iter(scores.values())).tuned_for, []).append(image)
        return groups

    def usual(self, image: str) -> Score:
        """The score of the setting that nobody tuned."""
        return self.by_image[image][str(self.base)]

    def best(self, image: str) -> Score:
        """The best score of an image: of those within 0.01 of it, the one with the fewest samples."""
        return self.by_image[image][self.best_for([image])]

    def best_for(self, images: Sequence[str]) -> str:
        """The one setting, as text, whose mean quality over these images is best; as cheap as `best` takes it."""
        settings = self.by_image[images[0]]
        mean_quality = {
            setting: math.fsum(self.by_image[image][setting].quality for image in images) / len(images)
            for setting in settings
        }
        least = max(mean_quality.values()) - TOLERANCE
        good_settings = [setting for setting in settings if mean_quality[setting] >= least]
        return min(good_settings, key=lambda setting: (settings[setting].setting.num_samples, -mean_quality[setting]))

    def for_all(self, image: str) -> Score:
        """The score of the one setting that is best for all images that are tuned for the same as this one."""
        return self.by_image[image][self.best_for(self._alike(image))]

    def held_out(self, image: str) -> Score | None:
        """The score, on this image, of the one setting that is best for the others; None where there are none."""
        others = [name for name in self._alike(image) if name != image]
        return self.by_image[image][self.best_for(others)] if others else None

    def images(self) -> list[TunedImage]:
        """What is best for each image."""
        return [
            TunedImage(self.best(image), _quality(self.held_out(image)), self.usual(image).quality)
            for image in self.by_image
        ]

    def summary(self) -> list[TuningSummary]:
        """One for each thing that is searched for."""
        return [self._summary(tuned_for, images) for tuned_for, images in self.groups.items()]

    def _summary(self, tuned_for: str, images: Sequence[str]) -> TuningSummary:
        best = [self.best(image) for image in images]
        return TuningSummary(
            tuned_for=tuned_for,
            images=len(images),
            setting_for_all=self.best_for(images),
            usual_setting=str(self.base),
            tuned=_mean(score.quality for score in best),
            one_for_all=_mean(self.for_all(image).quality for image in images),
            held_out=_mean(_quality(self.held_out(image)) for image in images),
            usual=_mean(self.usual(image).quality for image in images),
            chance=_mean(score.chance for score in best),
            ceiling=_mean(score.ceiling for score in best),
        )

    def sentences(self) -> list[str]:
        """The summary in words, with what a reader must be warned of."""
        said: list[str] = []
        for row in self.summary():
            said.append(
                f"{row.tuned_for}, mean of {_images(row.images)}: {row.tuned:.3f} tuned to each image, "
                f"{row.one_for_all:.3f} with one setting for all ({row.setting_for_all}), "
                f"{row.usual:.3f} as usual ({row.usual_setting})"
                + (f"; masks of these sizes overlap by chance {row.chance:.3f}" if row.tuned_for == MASKS else "")
            )
            if math.isnan(row.held_out):
                said.append("There is no other image to hold out: nothing says what this setting is worth elsewhere.")
            else:
                said.append(f"Held out (the best setting of the other images, leave-one-out): {row.held_out:.3f}.")
        return [*said, WARNING] if MASKS in self.groups else said

    def _alike(self, image: str) -> list[str]:
        return next(images for images in self.groups.values() if image in images)


def _quality(score: Score | None) -> float:
    return math.nan if score is None else score.quality


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return math.fsum(numbers) / len(numbers)
