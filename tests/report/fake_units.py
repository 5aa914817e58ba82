"""The units of the fake run: three layers of twenty in every model, with labels, evidence and crops."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lumiscope.concepts import CATEGORIES
from lumiscope.runs import (
    CATEGORY,
    CONCEPT,
    NO_LABEL,
    CategoryRow,
    ConceptCountRow,
    LayerRow,
    ModelDifferenceRow,
    Reason,
    ShownUnitRow,
    UnitCropRow,
    UnitRow,
)
from lumiscope.testing import fake_row

LAYERS = ("stem", "stage2", "stage4")
CONCEPTS = {
    **{"red": "colour", "blue": "colour", "striped": "texture", "dotted": "texture", "wood": "material"},
    **{"circle": "shape", "square": "shape", "wheel": "part", "handle": "part", "cup": "object", "car": "vehicle"},
    **{"fish": "animal", "dog": "animal", "oak": "plant", "street": "place", "sky": "nature", "idea": "other"},
}
PROBING_IMAGES = tuple(f"probe_{number:03}" for number in range(41))
REFUSED = {
    0: (Reason.DEAD, None),
    1: (Reason.CONSTANT, "0.25"),
    2: (Reason.NOT_SIGNIFICANT, "q = 0.4"),
    3: (Reason.UNSTABLE, "0.3"),
}


def dissection_rows(models: Sequence[str]) -> dict[type[Any], list[Any]]:
    """The tables of a dissection."""
    units = [row for seed, model in enumerate(models) for layer in LAYERS for row in _units(seed, model, layer)]
    places = [(model, layer) for model in models for layer in (*LAYERS, None)]
    return {
        UnitRow: units,
        LayerRow: [_layer(place, _members(units, place)) for place in places],
        CategoryRow: [row for place in places for row in _categories(place, _members(units, place))],
        ConceptCountRow: [row for place in places for row in _concepts(place, _members(units, place))],
        ModelDifferenceRow: list(_differences(units, models)),
        ShownUnitRow: [row for place in places if place[1] for row in _shown(_members(units, place))],
        UnitCropRow: list(_crops(units)),
    }


def _units(seed: int, model: str, layer: str) -> Iterator[UnitRow]:
    depth = LAYERS.index(layer)
    generator = np.random.default_rng(depth + 10 * seed)
    # Colours and textures first, things later: concepts are in that order.
    concepts = np.clip(generator.normal(2 + 5 * depth, 3, 20).round(), 0, len(CONCEPTS) - 1).astype(int)
    scores = generator.uniform(0.05, 0.4, 20)
    for unit, (concept, score) in enumerate(zip(concepts, scores, strict=True)):
        best = [list(CONCEPTS)[(concept + step) % len(CONCEPTS)] for step in range(5)]
        images = tuple(generator.permutation(PROBING_IMAGES).tolist())
        reason, detail = REFUSED.get(unit, (None, None))
        label = best[0] if reason is None else None
        dead = reason is Reason.DEAD
        yield UnitRow(
            model=model,
            layer=layer,
            unit=unit,
            label=label,
            further_labels=(best[4],) if unit == 7 else (),
            score=np.nan if dead else float(score),
            margin=float(score) / 7 if label else np.nan,
            category=CONCEPTS[label] if label else None,
            runner_up=best[1] if label else None,
            reason=reason,
            reason_detail=detail,
            p_value=generator.uniform(0, 0.02),
            q_value=generator.uniform(0, 0.05),
            stability=0.5,
            label_set=tuple(best[:2]) if label else (),
            label_set_size=24 if label else None,
            cluster=unit,
            heldout_correlation=generator.uniform(0.1, 0.9) if label else np.nan,
            heldout_precision=0.5,
            heldout_chance=0.5,
            best_concepts=() if dead else tuple(best),
            best_scores=() if dead else tuple(float(score) * part for part in (1, 0.8, 0.5, 0.3, 0.1)),
            top_images=images[:10],
            top_activations=tuple(sorted(generator.random(10).tolist(), reverse=True)),
            active_without=images[10:14],
            silent_with=images[14:18],
            histogram=tuple(generator.poisson(20 * np.exp(-np.arange(20) / 4)).tolist()),
            lowest=0.0,
            highest=1.0,
        )


def _members(units: Sequence[UnitRow], place: tuple[str, str | None]) -> list[UnitRow]:
    model, layer = place
    return [row for row in units if row.model == model and layer in (row.layer, None)]


def _interval(share: float) -> dict[str, float]:
    return {"share": share, "low": max(0.0, share - 0.1), "high": min(1.0, share + 0.1)}


def _layer(place: tuple[str, str | None], units: Sequence[UnitRow]) -> LayerRow:
    labels = [row.label for row in units if row.label]
    correlations = [row.heldout_correlation for row in units if row.label]
    reasons = Counter(row.reason for row in units)
    return fake_row(
        LayerRow,
        model=place[0],
        layer=place[1],
        units=len(units),
        labelled=len(labels),
        unique_concepts=len(set(labels)),
        heldout_correlation=float(np.median(correlations)),
        **_interval(len(labels) / len(units)),
        **{reason.column: reasons[reason] for reason in Reason},
    )


def _categories(place: tuple[str, str | None], units: Sequence[UnitRow]) -> Iterator[CategoryRow]:
    counts = Counter(row.category or NO_LABEL for row in units)
    for category in (*CATEGORIES, NO_LABEL):
        count = {"category": category, "units": counts[category]}
        yield CategoryRow(model=place[0], layer=place[1], **count, **_interval(counts[category] / len(units)))


def _concepts(place: tuple[str, str | None], units: Sequence[UnitRow]) -> Iterator[ConceptCountRow]:
    counts = Counter(row.label for row in units if row.label)
    further = Counter(label for row in units for label in row.further_labels)
    for concept in sorted({*counts, *further}, key=lambda concept: (-counts[concept], concept)):
        count = {"units": counts[concept], "further": further[concept]}
        yield ConceptCountRow(model=place[0], layer=place[1], concept=concept, category=CONCEPTS[concept], **count)


def _differences(units: Sequence[UnitRow], models: Sequence[str]) -> Iterator[ModelDifferenceRow]:
    """All layers together, then each layer with that of its name; a name with fewer than 4 units is not tested."""
    for (first, second), layer in itertools.product(itertools.combinations(models, 2), (None, *LAYERS)):
        sides = [_members(units, (model, layer)) for model in (first, second)]
        for kind in (CATEGORY, CONCEPT):
            counts = [Counter(_name(row, kind) for row in side) for side in sides]
            names = {name for count in counts for name in count if name[0] is not None}
            for name in sorted(names, key=lambda name: (-abs(counts[1][name] - counts[0][name]), name)):
                of_a, of_b = len(sides[0]), len(sides[1])
                difference = counts[1][name] / of_b - counts[0][name] / of_a
                p_value = (1 - abs(difference)) ** 20
                yield ModelDifferenceRow(
                    **{"model_a": first, "model_b": second, "layer_a": layer, "layer_b": layer, "kind": kind},
                    **{"name": name[0], "category": name[1], "of_a": of_a, "of_b": of_b},
                    units_a=counts[0][name],
                    units_b=counts[1][name],
                    difference=difference,
                    low=max(-1.0, difference - 0.2),
                    high=min(1.0, difference + 0.2),
                    p_value=p_value,
                    p_adjusted=np.nan if counts[0][name] + counts[1][name] < 4 else min(1.0, 3 * p_value),
                )


def _name(row: UnitRow, kind: str) -> tuple[str | None, str | None]:
    """What a unit counts as: the name and its category."""
    return (row.label, row.category) if kind == CONCEPT else (row.category or NO_LABEL, row.category or NO_LABEL)


def _shown(units: Sequence[UnitRow]) -> list[ShownUnitRow]:
    """The six with the highest held-out correlation, then three without a label."""
    labelled = sorted((row for row in units if row.label), key=lambda row: -row.heldout_correlation)[:6]
    shown = [*labelled, units[3], units[2], units[1]]
    return [
        ShownUnitRow(model=row.model, layer=row.layer, unit=row.unit, place=place) for place, row in enumerate(shown, 1)
    ]


def _crops(units: Sequence[UnitRow]) -> Iterator[UnitCropRow]:
    """Where the units of the last layer fire: in the upper left corner of their first image."""
    for row in units:
        if row.layer == LAYERS[-1]:
            place = {"model": row.model, "layer": row.layer, "unit": row.unit, "image": row.top_images[0]}
            yield UnitCropRow(**place, left=0.0, top=0.0, right=0.5, bottom=0.5)
