"""What a hand-in scored, image by image, and the means."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le, MaxLen

from lumiscope.errors import UsageError
from lumiscope.server.challenges import Challenge
from lumiscope.statistics import mean_interval, mean_test
from lumiscope.study import validated

DIGITS = 6  # of a score: what machines add up in another order differs beyond these
ENOUGH = 0.05  # p-value below which a hand-in is said to be better than chance
LARGEST = 1e6  # of an adjusted IoU or a faithfulness that may be true, either way
Unit = Annotated[float, Ge(0), Le(1)]
Bounded = Annotated[float, Ge(-LARGEST), Le(LARGEST)]


@dataclass(frozen=True, kw_only=True)
class ImageScore:
    """Of one image.

    `iou`: intersection over union with the true mask on the view. `adjusted`: 1 for the best that masks of these areas
    can reach, 0 for chance, also where a mask has nothing or all of the view and can say nothing. `faithfulness`: area
    between the curves of insertion and deletion (`abpc`); None for masks, and where it cannot be told. `passes`:
    pictures that went through the network to make the explanation: the view, and every changed version of it; None
    where only the map or mask came. `seconds_cpu`: what that took. `reason`: what is to be said of a number, mostly "".
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    name: Annotated[str, MaxLen(255)]
    iou: Unit
    adjusted: Bounded
    faithfulness: Bounded | None
    passes: Annotated[int, Ge(0)] | None
    seconds_cpu: Annotated[float, Ge(0)]
    reason: Annotated[str, MaxLen(500)] = ""


@dataclass(frozen=True)
class Means:
    """Means over images. `low`, `high`: 95 % interval of the mean IoU. None where no image has the number."""

    images: int
    iou: float | None
    low: float | None
    high: float | None
    adjusted: float | None
    faithfulness: float | None
    passes: float | None
    seconds_cpu: float


@dataclass(frozen=True)
class Scores:
    """Scores of a hand-in, in the order of the challenge's images."""

    images: tuple[ImageScore, ...]

    def of(self, names: Collection[str]) -> Scores:
        """Those of some images alone."""
        return Scores(tuple(image for image in self.images if image.name in names))

    @functools.cached_property
    def means(self) -> Means:
        """Over all of these images."""
        iou = [image.iou for image in self.images]
        low, high = mean_interval(iou, bounds=(0, 1)) if iou else (math.nan, math.nan)
        return Means(
            images=len(iou),
            iou=_mean(iou),
            low=_known(low),
            high=_known(high),
            adjusted=_mean([image.adjusted for image in self.images]),
            faithfulness=_mean([image.faithfulness for image in self.images if image.faithfulness is not None]),
            passes=_mean([image.passes for image in self.images if image.passes is not None]),
            seconds_cpu=round(math.fsum(image.seconds_cpu for image in self.images), DIGITS),
        )

    @property
    def better_than_chance(self) -> float | None:
        """The p-value, one-sided, of the mean adjusted IoU not being above 0; None where too few images say."""
        adjusted = [image.adjusted for image in self.images]
        return _known(mean_test(adjusted)) if len(adjusted) > 2 else None

    def verdict(self) -> str:
        """Whether it is better than chance, in words."""
        means, p_value = self.means, self.better_than_chance
        if means.iou is None:
            return "Nothing was scored."
        said = f"Mean IoU {means.iou:.3f} over {means.images} images, 95 % interval {means.low:.3f} to {means.high:.3f}"
        if p_value is None:
            return f"{said}: too few images to tell it from chance."
        if p_value < ENOUGH:
            return f"{said}: better than masks of these sizes at random places (p = {p_value:.2g})."
        return (
            f"{said}: no better than masks of these sizes at random places, as far as can be told (p = {p_value:.2g})."
        )

    def to_json(self) -> dict[str, Any]:
        """Images and means, as JSON. Equal hand-ins give equal JSON apart from `seconds_cpu`."""
        return {"images": [asdict(image) for image in self.images], "mean": asdict(self.means)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], challenge: Challenge) -> Scores:
        """Read scores from a process that is not trusted: the means are made again.

        Errors: `UsageError` for numbers that are not finite or not in range, and for images that are not the
        challenge's, each once and in order.
        """
        images = content.get("images") if isinstance(content, Mapping) else None
        if not isinstance(images, Sequence) or isinstance(images, str) or len(images) > len(challenge.images):
            raise UsageError("expected scores of the challenge's images; got something else")
        scores = tuple(
            validated(ImageScore, image if isinstance(image, Mapping) else {}, "the scores") for image in images
        )
        names = [image.name for image in scores]
        if names != [name for name in challenge.names if name in names]:
            raise UsageError(f"expected scores of the challenge's images in order; got {', '.join(names)[:200]}")
        return cls(scores)


def _mean(values: Sequence[float]) -> float | None:
    return round(math.fsum(values) / len(values), DIGITS) if values else None


def _known(value: float) -> float | None:
    return round(value, DIGITS) if math.isfinite(value) else None
