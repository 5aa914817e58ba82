"""Counts over unit labels: which concepts a layer knows, of which categories, and how many units have no label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypedDict

import numpy as np

from lumiscope.concepts import find_concepts, is_pattern
from lumiscope.dissection._clustered_units import clustered_share, in_category
from lumiscope.dissection.unit_labels import LayerLabels, UnitLabels
from lumiscope.runs import NO_LABEL, CategoryRow, ConceptCountRow, LayerRow, Reason
from lumiscope.statistics import ClusteredShare, clustered_share_interval
from lumiscope.types import DoubleArray


def layer_summary(labels: UnitLabels, fdr: float | None = None) -> list[LayerRow]:
    """Count units, labels and what refused units a label, per layer and, after a model's layers, per model.

    `fdr`: the rate at which units were tested; None: they were not.
    """
    return [_layer_row(model, name, layers, fdr) for model, name, layers in _layers_and_models(labels)]


def _layer_row(model: str, name: str | None, layers: Sequence[LayerLabels], fdr: float | None) -> LayerRow:
    concepts = [int(concept) for layer in layers for concept in layer.concept if concept >= 0]
    reasons = Counter(reason.reason for layer in layers for reason in layer.reason if reason is not None)
    correlations = np.concatenate([_heldout(layer) for layer in layers])
    known = correlations[np.isfinite(correlations)]
    return LayerRow(
        model=model,
        layer=name,
        units=sum(map(len, layers)),
        labelled=len(concepts),
        **_share(clustered_share(layers, lambda concept: concept >= 0)),
        fdr=fdr,
        unique_concepts=len(set(concepts)),
        **{reason.column: reasons[reason] for reason in Reason},
        heldout_correlation=float(np.median(known)) if known.size else float("nan"),
    )


def _heldout(layer: LayerLabels) -> DoubleArray:
    """The held-out correlations of the labelled units."""
    return np.zeros(0) if layer.evidence is None else layer.evidence.heldout_correlation[layer.concept >= 0]


def concept_counts(labels: UnitLabels) -> list[ConceptCountRow]:
    """Count the units that carry each concept, per layer and, after a model's layers, per model.

    Within a layer: most units first, then by concept. Units without a label are not counted.
    """
    return [row for where in _layers_and_models(labels) for row in _concept_rows(labels, *where)]


def _concept_rows(
    labels: UnitLabels, model: str, layer_name: str | None, layers: Sequence[LayerLabels]
) -> Iterator[ConceptCountRow]:
    counts = Counter(int(concept) for layer in layers for concept in layer.concept if concept >= 0)
    further = Counter(int(concept) for layer in layers for concept in layer.further.ravel() if concept >= 0)
    order = sorted({*counts, *further}, key=lambda concept: (-counts[concept], labels.concepts[concept], concept))
    for concept in order:
        yield ConceptCountRow(
            model=model,
            layer=layer_name,
            concept=labels.concepts[concept],
            category=labels.categories[concept],
            units=counts[concept],
            further=further[concept],
        )


def count_units(labels: UnitLabels, names: Sequence[str]) -> list[ConceptCountRow]:
    """Count the units of some concepts only: the rows of `concept_counts` for them.

    `names`: concepts, wildcards allowed. A concept that is named outright has a row for every layer, with 0 where no
    unit carries it; a wildcard gives what occurs. Raises UnknownNameError for a name that no concept has.
    """
    wanted = set(find_concepts(names, labels.concepts))
    plain = [name for name in names if not is_pattern(name)]
    always = find_concepts(plain, labels.concepts)
    kinds = dict(zip(reversed(labels.concepts), reversed(labels.categories), strict=True))
    rows: list[ConceptCountRow] = []
    for model, name, layers in _layers_and_models(labels):
        counted = [row for row in _concept_rows(labels, model, name, layers) if row.concept in wanted]
        seen = {row.concept for row in counted}
        rows += counted
        rows += [
            ConceptCountRow(model=model, layer=name, concept=word, category=kinds[word], units=0, further=0)
            for word in always
            if word not in seen
        ]
    return rows


def category_histogram(labels: UnitLabels, categories_order: Sequence[str]) -> list[CategoryRow]:
    """Count the units of each layer and, after a model's layers, each model by the category of their label.

    Every layer has a row for every category of `categories_order`, in that order and with 0 where nothing falls, then
    for any further category that labels have, in the order of the concept set, and last for "no label". A layer's
    shares sum to 1; their intervals count clusters of units that respond alike.
    """
    used = {labels.categories[concept] for layer in labels.layers for concept in layer.concept if concept >= 0}
    further = [category for category in labels.categories if category in used]
    categories = list(dict.fromkeys([*categories_order, *further]))
    return [row for where in _layers_and_models(labels) for row in _category_rows(labels, *where, categories)]


def _category_rows(
    labels: UnitLabels, model: str, name: str | None, layers: Sequence[LayerLabels], categories: Sequence[str]
) -> Iterator[CategoryRow]:
    for category in (*categories, NO_LABEL):
        sample = clustered_share(layers, in_category(labels, category))
        yield CategoryRow(model=model, layer=name, category=category, units=int(sample.hits.sum()), **_share(sample))


class _Share(TypedDict):
    """A share in [0, 1] with its 95 % interval; NaN without units."""

    share: float
    low: float
    high: float


def _share(sample: ClusteredShare) -> _Share:
    low, high = clustered_share_interval(sample)
    return {"share": sample.share, "low": low, "high": high}


def _layers_and_models(labels: UnitLabels) -> Iterator[tuple[str, str | None, list[LayerLabels]]]:
    """Each layer of a model by itself, then all of them together under the name None."""
    for model in labels.model_names:
        layers = [layer for layer in labels.layers if layer.model == model]
        yield from ((model, layer.layer, [layer]) for layer in layers)
        yield model, None, layers
