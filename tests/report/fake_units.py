"""The units of the fake run: three layers of twenty in every model, with labels, evidence and crops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lumiscope.concepts import CATEGORIES
from lumiscope.dissection import category_histogram, concept_counts, layer_summary, model_differences, shown_units
from lumiscope.study import SCHEMAS
from lumiscope.types import LayerLabels, UnitLabels

# `tests/unit_labels.py`, which the fixture of that name loads before this file.
from unit_labels import evidence, layer_labels

LAYERS = ("stem", "stage2", "stage4")
CONCEPTS = {
    **{"red": "colour", "blue": "colour", "striped": "texture", "dotted": "texture", "wood": "material"},
    **{"circle": "shape", "square": "shape", "wheel": "part", "handle": "part", "cup": "object", "car": "vehicle"},
    **{"fish": "animal", "dog": "animal", "oak": "plant", "street": "place", "sky": "nature", "idea": "other"},
}
PROBING_IMAGES = 41


def dissection_tables(models: Sequence[str]) -> dict[str, pa.Table]:
    """The tables of a dissection."""
    labels = UnitLabels(
        layers=tuple(_layer(seed, model, layer) for seed, model in enumerate(models) for layer in LAYERS),
        concepts=tuple(CONCEPTS),
        categories=tuple(CONCEPTS.values()),
        image_ids=tuple(f"probe_{number:03}" for number in range(PROBING_IMAGES)),
        similarity="soft_wpmi",
    )
    units = labels.to_table()
    return {
        "units": units,
        "concept_counts": concept_counts(labels),
        "categories": category_histogram(labels, CATEGORIES),
        "layers": layer_summary(labels),
        "model_differences": model_differences(labels),
        "unit_crops": pa.Table.from_pylist(list(_crops(units)), schema=SCHEMAS["unit_crops"]),
    }


def _crops(units: pa.Table) -> Iterator[dict[str, Any]]:
    """Where the units of the last layer fire: in the upper left corner of their first image."""
    for row in shown_units(units.to_pylist()):
        if row["layer"] == LAYERS[-1]:
            place = {name: row[name] for name in ("model", "layer", "unit")}
            yield {**place, "image": row["top_images"][0], "left": 0.0, "top": 0.0, "right": 0.5, "bottom": 0.5}


def _layer(seed: int, model: str, layer: str) -> LayerLabels:
    depth = LAYERS.index(layer)
    generator = np.random.default_rng(depth + 10 * seed)
    # Colours and textures first, things later: concepts are in that order.
    concept = np.clip(generator.normal(2 + 5 * depth, 3, 20).round(), 0, len(CONCEPTS) - 1).astype(np.int64)
    best = (concept[:, None] + np.arange(5)) % len(CONCEPTS)
    concept[:4] = -1
    score = generator.uniform(0.05, 0.4, 20)
    score[0] = np.nan
    best_scores = score[:, None] * [1, 0.8, 0.5, 0.3, 0.1]
    best[0] = -1
    images = generator.permuted(np.tile(np.arange(PROBING_IMAGES), (20, 1)), axis=1)
    return layer_labels(
        model,
        layer,
        concept,
        score=score,
        runner_up=np.where(concept >= 0, best[:, 1], -1),
        margin=np.where(concept >= 0, score / 7, np.nan),
        reason=("dead", "constant: 0.25", "not significant: q = 0.4", "unstable: 0.3", *[""] * 16),
        further=np.where(np.arange(20) == 7, best[:, 4], -1)[:, None],
        best=best,
        best_scores=best_scores,
        evidence=evidence(
            20,
            p_value=generator.uniform(0, 0.02, 20),
            q_value=generator.uniform(0, 0.05, 20),
            heldout_correlation=np.where(concept >= 0, generator.uniform(0.1, 0.9, 20), np.nan),
        ),
        top_images=images[:, :10],
        top_activations=-np.sort(-generator.random((20, 10)).astype(np.float32)),
        active_without=images[:, 10:14],
        silent_with=images[:, 14:18],
        histogram=generator.poisson(20 * np.exp(-np.arange(20) / 4), (20, 20)),
    )
