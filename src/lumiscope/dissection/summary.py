"""Counts over unit labels: which concepts a layer knows, and of which categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from lumiscope.types import LayerLabels, UnitLabels

NO_LABEL = "no label"
CONCEPT_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("layer", pa.string()),
        ("concept", pa.string()),
        ("category", pa.string()),
        ("units", pa.int64()),
    ]
)
CATEGORY_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("layer", pa.string()),
        ("category", pa.string()),
        ("units", pa.int64()),
        ("share", pa.float64()),
    ]
)


def concept_counts(labels: UnitLabels) -> pa.Table:
    """Count the units that carry each concept, per layer and per model.

    Columns: model, layer, concept, category, units. `layer` is null in the rows that count all layers of a model;
    they follow the model's layers. Within a layer: most units first, then by concept. Units without a label are not
    counted.
    """
    rows: list[dict[str, Any]] = []
    for model in labels.model_names:
        layers = [layer for layer in labels.layers if layer.model == model]
        for layer in layers:
            rows.extend(_concept_rows(labels, model, layer.layer, [layer]))
        rows.extend(_concept_rows(labels, model, None, layers))
    return pa.Table.from_pylist(rows, schema=CONCEPT_SCHEMA)


def _concept_rows(
    labels: UnitLabels, model: str, layer_name: str | None, layers: Iterable[LayerLabels]
) -> Iterator[dict[str, Any]]:
    counts = Counter(int(concept) for layer in layers for concept in layer.concept if concept >= 0)
    for concept, units in sorted(counts.items(), key=lambda item: (-item[1], labels.concepts[item[0]], item[0])):
        yield {
            "model": model,
            "layer": layer_name,
            "concept": labels.concepts[concept],
            "category": labels.categories[concept],
            "units": units,
        }


def category_histogram(labels: UnitLabels, categories_order: Sequence[str]) -> pa.Table:
    """Count the units of each layer by the category of their label.

    Columns: model, layer, category, units, share. Every layer has a row for every category of `categories_order`, in
    that order and with 0 where nothing falls, then for any further category that labels have, in the order of the
    concept set, and last for "no label". `share` is of all units of the layer, in [0, 1]; a layer's shares sum to 1.
    """
    used = {labels.categories[concept] for layer in labels.layers for concept in layer.concept if concept >= 0}
    further = [category for category in labels.categories if category in used]
    categories = list(dict.fromkeys([*categories_order, *further]))
    rows = [row for layer in labels.layers for row in _category_rows(labels, layer, categories)]
    return pa.Table.from_pylist(rows, schema=CATEGORY_SCHEMA)


def _category_rows(labels: UnitLabels, layer: LayerLabels, categories: Sequence[str]) -> Iterator[dict[str, Any]]:
    counts = Counter(labels.categories[concept] for concept in layer.concept if concept >= 0)
    unlabelled = int((layer.concept < 0).sum())
    for category, units in [*((category, counts[category]) for category in categories), (NO_LABEL, unlabelled)]:
        yield {
            "model": layer.model,
            "layer": layer.layer,
            "category": category,
            "units": units,
            "share": units / len(layer),
        }
