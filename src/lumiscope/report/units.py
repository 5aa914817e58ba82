"""Single units: all that is known of one, as the report shows it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lumiscope.dissection import shown_units
from lumiscope.dissection.shown_units import COUNTER_EXAMPLES, TOP_IMAGES
from lumiscope.report.numbers import defined, significant
from lumiscope.report.unit_pictures import Shot, UnitPictures
from lumiscope.unit_address import UnitAddress

CARD_IMAGES = 5  # on a card that is not open
CONCEPTS_SHOWN = 5


@dataclass(frozen=True)
class Similar:
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


@dataclass(frozen=True)
class Unit:
    """One unit: a row of the units table, and its pictures.

    `images`: on which it is most active, most active first. `active_without`: strongly active, though its best concept
    is absent; `silent_with`: the concept is there, and the unit is silent. `similar`: the most similar concepts.
    """

    model: str
    layer: str
    unit: int
    label: str | None
    further: tuple[str, ...]
    category: str | None
    reason: str
    runner_up: str | None
    numbers: Mapping[str, float | None]
    similar: tuple[Similar, ...]
    images: tuple[Shot, ...]
    active_without: tuple[Shot, ...]
    silent_with: tuple[Shot, ...]
    bins: tuple[Bin, ...]

    @property
    def best(self) -> str | None:
        """The most similar concept, whether or not it is the label."""
        return self.similar[0].concept if self.similar else self.label

    @property
    def address(self) -> str:
        """As `explain --unit` and `units --unit` take it."""
        return str(UnitAddress(self.layer, self.unit))


@dataclass(frozen=True)
class LayerUnits:
    """The units of a layer that are shown, and how many there are in all."""

    labelled: tuple[Unit, ...]
    unlabelled: tuple[Unit, ...]
    num_labelled: int
    num_unlabelled: int


def layer_units(rows: Sequence[Mapping[str, Any]], pictures: UnitPictures) -> LayerUnits:
    """Those units of one layer that `shown_units` chooses. `rows`: of the units table."""
    chosen = [unit_of(row, pictures) for row in shown_units(rows)]
    labelled = sum(row["label"] is not None for row in rows)
    return LayerUnits(
        tuple(unit for unit in chosen if unit.label is not None),
        tuple(unit for unit in chosen if unit.label is None),
        labelled,
        len(rows) - labelled,
    )


def unit_of(row: Mapping[str, Any], pictures: UnitPictures) -> Unit:
    """One unit of a row of the units table."""
    top = zip(row["top_images"] or (), row["top_activations"] or (), strict=False)
    return Unit(
        model=row["model"],
        layer=row["layer"],
        unit=row["unit"],
        label=row["label"],
        further=tuple(row["further_labels"] or ()),
        category=row["category"],
        reason=row["reason"] or "",
        runner_up=row["runner_up"],
        numbers={name: row[name] for name in NUMBERS},
        similar=_similar(row["best_concepts"] or (), row["best_scores"] or ()),
        images=tuple(pictures.shot(row, name, activation) for name, activation in list(top)[:TOP_IMAGES]),
        active_without=_shots(row, row["active_without"], pictures),
        silent_with=_shots(row, row["silent_with"], pictures),
        bins=_bins(row["histogram"] or (), row["lowest"], row["highest"]),
    )


NUMBERS = (
    "score", "margin", "p_value", "q_value", "stability", "heldout_correlation", "heldout_precision", "heldout_chance",
)  # fmt: skip


def _shots(row: Mapping[str, Any], names: Iterable[str] | None, pictures: UnitPictures) -> tuple[Shot, ...]:
    return tuple(pictures.shot(row, name) for name in list(names or ())[:COUNTER_EXAMPLES])


def _similar(concepts: Iterable[str], scores: Iterable[float]) -> tuple[Similar, ...]:
    """Bars from the lowest score shown or 0, whichever is lower: some similarities are negative throughout."""
    pairs = list(zip(concepts, scores, strict=False))[:CONCEPTS_SHOWN]
    if not pairs:
        return ()
    best, floor = pairs[0][1], min(0.0, pairs[-1][1])
    span = best - floor
    return tuple(Similar(name, score, max(0.0, (score - floor) / span) if span > 0 else 1.0) for name, score in pairs)


def _bins(counts: Sequence[int], lowest: float | None, highest: float | None) -> tuple[Bin, ...]:
    if not defined(lowest) or not defined(highest) or not any(counts):
        return ()
    step = (highest - lowest) / len(counts)
    top = math.log1p(max(counts))
    return tuple(
        Bin(lowest + place * step, lowest + (place + 1) * step, count, math.log1p(count) / top)
        for place, count in enumerate(counts)
    )


def bin_text(one: Bin) -> str:
    """A bar of a histogram in words."""
    return f"{significant(one.low)} to {significant(one.high)}: {one.images} images"
