"""Counts over unit labels: which concepts a layer knows, of which categories, and how many units have no label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lumiscope.concepts.patterns import find_concepts, is_pattern
from lumiscope.statistics.proportions import wilson_interval
from lumiscope.types import DoubleArray, LayerLabels, UnitLabels

NO_LABEL = "no label"
REASONS = ("dead", "constant", "not finite", "undefined", "not significant", "unstable")
_WHERE = [("model", pa.string()), ("layer", pa.string())]
_SHARE = [("share", pa.float64()), ("low", pa.float64()), ("high", pa.float64())]
CONCEPT_SCHEMA = pa.schema(
    [*_WHERE, ("concept", pa.string()), ("category", pa.string()), ("units", pa.int64()), ("further", pa.int64())]
)
CATEGORY_SCHEMA = pa.schema([*_WHERE, ("category", pa.string()), ("units", pa.int64()), *_SHARE])
LAYER_SCHEMA = pa.schema(
    [
        *_WHERE,
        ("units", pa.int64()),
        ("labelled", pa.int64()),
        *_SHARE,
        ("unique_concepts", pa.int64()),
        *((reason.replace(" ", "_"), pa.int64()) for reason in REASONS),
        ("heldout_correlation", pa.float64()),
    ]
)
Row = dict[str, Any]


def layer_summary(labels: UnitLabels) -> pa.Table:
    """Count units, labels and what refused units a label, per layer and per model.

    Columns: model, layer, units, labelled, share, low, high, unique_concepts, one for each of `REASONS`, and
    heldout_correlation. `layer` is null in the rows that count all layers of a model; they follow the model's layers.
    `share`: of all units those with a label, in [0, 1]; `low`, `high`: its 95 % Wilson interval, NaN without units.
    `unique_concepts`: different labels. `heldout_correlation`: the median over the labelled units; NaN without any.
    """
    return pa.Table.from_pylist([_layer_row(*one) for one in _layers_and_models(labels)], schema=LAYER_SCHEMA)


def _layer_row(model: str, name: str | None, layers: Sequence[LayerLabels]) -> Row:
    concepts = [int(concept) for layer in layers for concept in layer.concept if concept >= 0]
    reasons = Counter(reason_kind(reason) for layer in layers for reason in layer.reason if reason)
    correlations = np.concatenate([_heldout(layer) for layer in layers])
    known = correlations[np.isfinite(correlations)]
    return {
        "model": model,
        "layer": name,
        "labelled": len(concepts),
        **_share(len(concepts), sum(map(len, layers))),
        "units": sum(map(len, layers)),
        "unique_concepts": len(set(concepts)),
        **{reason.replace(" ", "_"): reasons[reason] for reason in REASONS},
        "heldout_correlation": float(np.median(known)) if known.size else float("nan"),
    }


def _heldout(layer: LayerLabels) -> DoubleArray:
    """The held-out correlations of the labelled units."""
    return np.zeros(0) if layer.evidence is None else layer.evidence.heldout_correlation[layer.concept >= 0]


def reason_kind(reason: str) -> str:
    """The one of `REASONS` that a unit's reason begins with; the reason itself where there is none."""
    return next((kind for kind in REASONS if reason.startswith(kind)), reason)


def concept_counts(labels: UnitLabels) -> pa.Table:
    """Count the units that carry each concept, per layer and per model.

    Columns: model, layer, concept, category, units, further. `units`: those whose label it is. `further`: those that
    have another label and this concept among their further ones. `layer` is null in the rows that count all layers of
    a model; they follow the model's layers. Within a layer: most units first, then by concept. Units without a label
    are not counted.
    """
    rows = [row for one in _layers_and_models(labels) for row in _concept_rows(labels, *one)]
    return pa.Table.from_pylist(rows, schema=CONCEPT_SCHEMA)


def _concept_rows(
    labels: UnitLabels, model: str, layer_name: str | None, layers: Sequence[LayerLabels]
) -> Iterator[Row]:
    counts = Counter(int(concept) for layer in layers for concept in layer.concept if concept >= 0)
    further = Counter(int(concept) for layer in layers for concept in layer.further.ravel() if concept >= 0)
    order = sorted({*counts, *further}, key=lambda concept: (-counts[concept], labels.concepts[concept], concept))
    for concept in order:
        yield {
            "model": model,
            "layer": layer_name,
            "concept": labels.concepts[concept],
            "category": labels.categories[concept],
            "units": counts[concept],
            "further": further[concept],
        }


def count_units(labels: UnitLabels, names: Sequence[str]) -> pa.Table:
    """Count the units of some concepts only: the rows of `concept_counts` for them.

    `names`: concepts, wildcards allowed. A concept that is named outright has a row for every layer, with 0 where no
    unit carries it; a wildcard gives what occurs. Raises UnknownNameError for a name that no concept has.
    """
    wanted = set(find_concepts(names, labels.concepts))
    plain = [name for name in names if not is_pattern(name)]
    always = find_concepts(plain, labels.concepts)
    kinds = dict(zip(reversed(labels.concepts), reversed(labels.categories), strict=True))
    rows: list[Row] = []
    for model, name, layers in _layers_and_models(labels):
        found = [row for row in _concept_rows(labels, model, name, layers) if row["concept"] in wanted]
        seen = {row["concept"] for row in found}
        nothing = {"model": model, "layer": name, "units": 0, "further": 0}
        rows += found
        rows += [{**nothing, "concept": word, "category": kinds[word]} for word in always if word not in seen]
    return pa.Table.from_pylist(rows, schema=CONCEPT_SCHEMA)


def category_histogram(labels: UnitLabels, categories_order: Sequence[str]) -> pa.Table:
    """Count the units of each layer and model by the category of their label.

    Columns: model, layer, category, units, share, low, high. `layer` is null in the rows that count all layers of a
    model; they follow the model's layers. Every layer has a row for every category of `categories_order`, in that
    order and with 0 where nothing falls, then for any further category that labels have, in the order of the concept
    set, and last for "no label". `share` is of all units of the layer, in [0, 1]; a layer's shares sum to 1. `low`,
    `high`: its 95 % Wilson interval, which takes units for independent; NaN without units.
    """
    used = {labels.categories[concept] for layer in labels.layers for concept in layer.concept if concept >= 0}
    further = [category for category in labels.categories if category in used]
    categories = list(dict.fromkeys([*categories_order, *further]))
    rows = [row for one in _layers_and_models(labels) for row in _category_rows(labels, *one, categories)]
    return pa.Table.from_pylist(rows, schema=CATEGORY_SCHEMA)


def _category_rows(
    labels: UnitLabels, model: str, name: str | None, layers: Sequence[LayerLabels], categories: Sequence[str]
) -> Iterator[Row]:
    counts = Counter(labels.categories[concept] for layer in layers for concept in layer.concept if concept >= 0)
    total = sum(map(len, layers))
    unlabelled = total - counts.total()
    for category, units in [*((category, counts[category]) for category in categories), (NO_LABEL, unlabelled)]:
        yield {"model": model, "layer": name, "category": category, "units": units, **_share(units, total)}


def _share(count: int, total: int) -> Row:
    low, high = wilson_interval(count, total)
    return {"share": count / total if total else float("nan"), "low": low, "high": high}


def _layers_and_models(labels: UnitLabels) -> Iterator[tuple[str, str | None, list[LayerLabels]]]:
    """Each layer of a model by itself, then all of them together under the name None."""
    for model in labels.model_names:
        layers = [layer for layer in labels.layers if layer.model == model]
        yield from ((model, layer.layer, [layer]) for layer in layers)
        yield model, None, layers
