"""All that is known of one unit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lumiscope.report.numbers import defined, significant
from lumiscope.report.unit_pictures import UnitPicture, UnitPictures
from lumiscope.runs import COUNTER_EXAMPLES, TOP_IMAGES, UnitRow

CONCEPTS_SHOWN = 5


@dataclass(frozen=True)
class SimilarConcept:
    """A concept and how similar it is. `width`: its bar, in [0, 1] of the widest."""

    concept: str
    score: float
    width: float


@dataclass(frozen=True)
class Bin:
    """One bar of a histogram: activations from `low` to `high`. `height`: in [0, 1], on a logarithmic scale."""

    low: float
    high: float
    images: int
    height: float

    @property
    def text(self) -> str:
        """The bar in words."""
        return f"{significant(self.low)} to {significant(self.high)}: {self.images} images"


@dataclass(frozen=True)
class UnitDetails:
    """Pictures of a unit, the most similar concepts with their scores, a histogram of its activations, its evidence.

    `images`: on which it is most active, most active first. `active_without`: strongly active, though its best concept
    is absent; `silent_with`: the concept is there, and the unit is silent.
    """

    row: UnitRow
    images: tuple[UnitPicture, ...]
    active_without: tuple[UnitPicture, ...]
    silent_with: tuple[UnitPicture, ...]
    similar: tuple[SimilarConcept, ...]
    bins: tuple[Bin, ...]

    @classmethod
    def of(cls, row: UnitRow, pictures: UnitPictures) -> UnitDetails:
        """The details of a row."""
        top = list(zip(row.top_images, row.top_activations, strict=False))[:TOP_IMAGES]
        return cls(
            row=row,
            images=tuple(pictures.picture(row, name, activation) for name, activation in top),
            active_without=tuple(pictures.picture(row, name) for name in row.active_without[:COUNTER_EXAMPLES]),
            silent_with=tuple(pictures.picture(row, name) for name in row.silent_with[:COUNTER_EXAMPLES]),
            similar=_similar(row.best_concepts, row.best_scores),
            bins=_bins(row.histogram, row.lowest, row.highest),
        )

    @property
    def is_cropped(self) -> bool:
        """Whether the images are cropped to where the unit fires."""
        return bool(self.images) and self.images[0].is_cropped


def _similar(concepts: Iterable[str], scores: Iterable[float]) -> tuple[SimilarConcept, ...]:
    """Bars from the lowest score shown or 0, whichever is lower: some similarities are negative throughout."""
    pairs = list(zip(concepts, scores, strict=False))[:CONCEPTS_SHOWN]
    if not pairs:
        return ()
    best, floor = pairs[0][1], min(0.0, pairs[-1][1])
    span = best - floor
    return tuple(
        SimilarConcept(name, score, max(0.0, (score - floor) / span) if span > 0 else 1.0) for name, score in pairs
    )


def _bins(counts: Sequence[int], lowest: float, highest: float) -> tuple[Bin, ...]:
    if not defined(lowest) or not defined(highest) or not any(counts):
        return ()
    step = (highest - lowest) / len(counts)
    top = math.log1p(max(counts))
    return tuple(
        Bin(lowest + place * step, lowest + (place + 1) * step, count, math.log1p(count) / top)
        for place, count in enumerate(counts)
    )
