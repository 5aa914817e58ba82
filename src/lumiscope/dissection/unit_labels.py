"""The labels of units, with what speaks for them: arrays for whoever computes, rows for whoever reads."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from lumiscope.runs import NoLabel, UnitRow, to_arrow
from lumiscope.types import BoolArray, DoubleArray, FloatArray, IntArray


@dataclass(frozen=True)
class UnitEvidence:
    """What speaks for the labels of a layer's units; arrays of length U, NaN where nothing could be tested.

    `p_value`: of the activation's correlation with the best concept, on the images that choose it, among those of
    permuted units with theirs, chosen anew in every permutation. `q_value`: the p-value adjusted over the units of the
    layer (Benjamini and Hochberg). `stability`: the share of bootstrap resamples of the images in which the same
    concept comes first. On the other images, which had no part in this, for the same concept: `heldout_correlation`, of
    the activation and the concept's scores (the simulation correlation of Oikarinen and Weng 2024);
    `heldout_precision`, the average precision with which the activation ranks the images that show the concept;
    `heldout_chance`, what a random order has.
    """

    p_value: DoubleArray
    q_value: DoubleArray
    stability: DoubleArray
    heldout_correlation: DoubleArray
    heldout_precision: DoubleArray
    heldout_chance: DoubleArray


@dataclass(frozen=True)
class LayerLabels:
    """The labels of one layer's units; arrays with U rows, indexed by unit (0-based).

    `concept`: (U,) index into the concept set of the label; -1: no label. `reason`: why a unit has no label, None where
    it has one. `score`: (U,) similarity of the best concept, whether or not it became the label. `runner_up`: (U,)
    index of the second best; -1 where there is none. `margin`: (U,) score minus the runner-up's score.
    `further`: (U, m) further concepts that the unit responds to where the label does not explain it; -1: none.
    `best`, `best_scores`: (U, n) the most similar concepts, best first, whatever the evidence says; -1 and NaN where
    there are fewer. `evidence`: None where none was asked for.
    `top_images`: (U, n) indices of the probing images on which the unit is most active, most active first;
    `top_activations`: (U, n) float32, the pooled activations there.
    `active_without`: (U, n) images on which the unit is strongly active though its best concept is absent;
    `silent_with`: (U, n) images that show the best concept and leave the unit silent; -1: none.
    `histogram`: (U, bins) how many images have an activation in each of equally wide bins over `span`, (U, 2): the
    lowest and highest activation.
    `label_set`: (U, n) the first concepts of the set of those that could be the best, the label first, -1: no more;
    `label_set_size`: (U,) how many are in the set, -1 where it cannot be told. `cluster`: (U,) see `unit_clusters`.
    `groups`: (D,) which images counted as one. `blocks`: (U,) how many neighbours in the list kept together, 1: none.
    `clustered`: () whether images come in clusters that nobody named, so that they say less than they are.
    """

    model: str
    layer: str
    concept: IntArray
    reason: tuple[NoLabel | None, ...]
    score: DoubleArray
    runner_up: IntArray
    margin: DoubleArray
    further: IntArray
    best: IntArray
    best_scores: DoubleArray
    evidence: UnitEvidence | None
    top_images: IntArray
    top_activations: FloatArray
    active_without: IntArray
    silent_with: IntArray
    histogram: IntArray
    span: FloatArray
    label_set: IntArray
    label_set_size: IntArray
    cluster: IntArray
    groups: IntArray
    blocks: IntArray
    clustered: BoolArray

    def __len__(self) -> int:
        return len(self.concept)


@dataclass(frozen=True)
class UnitLabels:
    """What the units of one or more layers respond to, in words.

    `concepts` and `categories`: the concept set (K words). `image_ids`: the probing images (D). `similarity`: how
    activations and concept scores were compared. `notes`: what a reader must know (for example that few images were
    used).
    """

    layers: tuple[LayerLabels, ...]
    concepts: tuple[str, ...]
    categories: tuple[str, ...]
    image_ids: tuple[str, ...]
    similarity: str
    notes: tuple[str, ...] = ()

    def to_table(self) -> pa.Table:
        """One row a unit: the table `units` of a run."""
        return to_arrow(UnitRow, unit_rows(self))

    @functools.cached_property
    def model_names(self) -> tuple[str, ...]:
        """The models labelled, each once, in order."""
        return tuple(dict.fromkeys(layer.model for layer in self.layers))


EVIDENCE = tuple(field.name for field in fields(UnitEvidence))


def unit_rows(labels: UnitLabels) -> list[UnitRow]:
    """One row a unit, layer after layer."""
    return [row for layer in labels.layers for row in _layer_rows(layer, labels)]


def _layer_rows(layer: LayerLabels, labels: UnitLabels) -> Iterator[UnitRow]:
    concepts = labels.concepts
    nothing = np.full(len(layer), np.nan)
    evidence = layer.evidence or UnitEvidence(*[nothing] * len(EVIDENCE))
    for unit, reason in enumerate(layer.reason):
        scores = layer.best_scores[unit]
        yield UnitRow(
            model=layer.model,
            layer=layer.layer,
            unit=unit,
            label=_word(layer.concept[unit], concepts),
            further_labels=_words(layer.further[unit], concepts),
            score=float(layer.score[unit]),
            margin=float(layer.margin[unit]),
            category=_word(layer.concept[unit], labels.categories),
            runner_up=_word(layer.runner_up[unit], concepts),
            reason=None if reason is None else reason.reason,
            reason_detail=None if reason is None else reason.detail,
            **{name: float(getattr(evidence, name)[unit]) for name in EVIDENCE},
            label_set=_words(layer.label_set[unit], concepts),
            label_set_size=int(layer.label_set_size[unit]) if layer.label_set_size[unit] > 0 else None,
            cluster=int(layer.cluster[unit]),
            best_concepts=_words(layer.best[unit], concepts),
            best_scores=tuple(scores[np.isfinite(scores)].tolist()),
            top_images=_words(layer.top_images[unit], labels.image_ids),
            top_activations=tuple(layer.top_activations[unit].tolist()),
            active_without=_words(layer.active_without[unit], labels.image_ids),
            silent_with=_words(layer.silent_with[unit], labels.image_ids),
            histogram=tuple(layer.histogram[unit].tolist()),
            lowest=float(layer.span[unit, 0]),
            highest=float(layer.span[unit, 1]),
        )


def _word(index: np.integer, words: tuple[str, ...]) -> str | None:
    return words[index] if index >= 0 else None


def _words(indices: IntArray, words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(words[index] for index in indices if index >= 0)
