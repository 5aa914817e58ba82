"""The nouns that cross rooms: what an explanation and a unit label are. Plain arrays, no torch."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]
DoubleArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
ByteArray: TypeAlias = NDArray[np.uint8]
BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Target:
    """The class or unit that an explanation is about, and what the model says of it.

    `index`: the column of the scores. `name`: its class name, or the unit's address. `logit`: the raw score, or the
    unit's activation. `probability`: in [0, 1]; NaN for a unit, which has none.
    """

    index: int
    name: str
    logit: float
    probability: float


@dataclass(frozen=True)
class SaliencyMap:
    """One explanation: how much each pixel of the view matters to the target.

    `values`: (H, W) float32 on the view, raw: no min-max, so maps of one method can be compared between images.
    `shown`: (H, W) float32 in [0, 1] where the method defines its own picture; None: `display()` makes one.
    `layer`: the layer looked at, or None for a method that looks at none.
    `details`: numbers that belong to this method (JSON values). Under "undefined" they say why a map is NaN, under
    "blank" why it shows nothing, under "warnings" what else makes it doubtful: a list of sentences.
    """

    item_id: str
    method: str
    target: Target
    values: FloatArray
    options: Mapping[str, Any] = field(default_factory=dict)
    layer: str | None = None
    shown: FloatArray | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def display(self) -> FloatArray:
        """(H, W) float32 in [0, 1]: the method's own picture, else the positive part divided by its maximum."""
        if self.shown is not None:
            return self.shown
        positive = np.maximum(self.values, 0)
        return np.asarray(positive / (1e-7 + positive.max()), np.float32)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the explanation doubtful, in words; mostly nothing."""
        return tuple(self.details.get("warnings", ()))

    @property
    def remarks(self) -> tuple[str, ...]:
        """All that must be said of it, in words: why it is undefined or shows nothing, and the warnings."""
        said = [f"{kind}: {self.details[kind]}" for kind in ("undefined", "blank") if kind in self.details]
        return (*said, *self.warnings)


@dataclass(frozen=True)
class SegmentMap(SaliencyMap):
    """A saliency map made of segments, as LIME gives it.

    `segments`: (H, W) int64, ids 0..d-1. `coefficients`: (d,) float64 for the target, 0 where a segment was dropped.
    `num_features`: how many segments `mask()` keeps at most; `min_weight` and `positive_only`: which.
    `intervals`: (d, 2) float64, the ends of each coefficient's confidence interval, NaN where a segment was dropped; no
    rows where the method gives none.
    `top_classes`: (n,) the `top_labels` most probable classes, best first; `top_coefficients`: (n, d) for each of them.
    """

    segments: IntArray = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    coefficients: DoubleArray = field(default_factory=lambda: np.zeros(0))
    num_features: int = 0
    top_classes: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    top_coefficients: DoubleArray = field(default_factory=lambda: np.zeros((0, 0)))
    intervals: DoubleArray = field(default_factory=lambda: np.zeros((0, 2)))
    min_weight: float = 0.0
    positive_only: bool = True

    def mask(self, num_features: int | None = None) -> BoolArray:
        """(H, W) bool: the first `num_features` segments by |coefficient|.

        With `positive_only` among those with a coefficient above `min_weight`; else, of the first, those with a
        |coefficient| of at least `min_weight`, but never 0. Ties go to the lower segment id. Source:
        `get_image_and_mask` of lime 0.2.0.1.
        """
        count = self.num_features if num_features is None else num_features
        order = np.argsort(-np.abs(self.coefficients), kind="stable")
        if self.positive_only:
            kept = order[self.coefficients[order] > max(self.min_weight, 0)][:count]
        else:
            strength = np.abs(self.coefficients[order[:count]])
            kept = order[:count][(strength >= self.min_weight) & (strength > 0)]
        return np.isin(self.segments, kept)


@dataclass(frozen=True)
class UnitEvidence:
    """What speaks for the labels of a layer's units; arrays of length U, NaN where nothing could be tested.

    `p_value`: of the activation's correlation with the best concept, among those of permuted units with theirs, chosen
    anew in every permutation. `q_value`: the p-value adjusted over the units of the layer (Benjamini and Hochberg).
    `stability`: the share of bootstrap resamples of the images in which the same concept comes first.
    On held-out images, for the concept chosen on the other half: `heldout_correlation`, of the activation and the
    concept's scores (the simulation correlation of Oikarinen and Weng 2024); `heldout_precision`, the average
    precision with which the activation ranks the images that show the concept; `heldout_chance`, what a random order
    has.
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

    `concept`: (U,) index into the concept set of the label; -1: no label. `reason`: why a unit has no label, "" where
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
    """

    model: str
    layer: str
    concept: IntArray
    reason: tuple[str, ...]
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
        """One row a unit, with the columns of `UNIT_SCHEMA`."""
        return pa.concat_tables([UNIT_SCHEMA.empty_table(), *(self._layer_table(layer) for layer in self.layers)])

    def _layer_table(self, layer: LayerLabels) -> pa.Table:
        count = len(layer)
        nothing = np.full(count, np.nan)
        evidence = layer.evidence or UnitEvidence(*[nothing] * 6)
        columns = {
            "model": [layer.model] * count,
            "layer": [layer.layer] * count,
            "unit": range(count),
            "label": _named(layer.concept, self.concepts),
            "further_labels": _lists(layer.further, self.concepts),
            "score": layer.score,
            "margin": layer.margin,
            "category": _named(layer.concept, self.categories),
            "runner_up": _named(layer.runner_up, self.concepts),
            "reason": layer.reason,
            **{name: getattr(evidence, name) for name in EVIDENCE},
            "best_concepts": _lists(layer.best, self.concepts),
            "best_scores": [row[np.isfinite(row)] for row in layer.best_scores],
            "top_images": _lists(layer.top_images, self.image_ids),
            "top_activations": list(layer.top_activations),
            "active_without": _lists(layer.active_without, self.image_ids),
            "silent_with": _lists(layer.silent_with, self.image_ids),
            "histogram": list(layer.histogram),
            "lowest": layer.span[:, 0],
            "highest": layer.span[:, 1],
        }
        return pa.table(columns, schema=UNIT_SCHEMA)

    @functools.cached_property
    def model_names(self) -> tuple[str, ...]:
        """The models labelled, each once, in order."""
        return tuple(dict.fromkeys(layer.model for layer in self.layers))


def _named(indices: IntArray, names: tuple[str, ...]) -> list[str | None]:
    return [names[index] if index >= 0 else None for index in indices]


def _lists(indices: IntArray, names: tuple[str, ...]) -> list[list[str]]:
    return [[names[index] for index in row if index >= 0] for row in indices]


EVIDENCE = tuple(one.name for one in fields(UnitEvidence))
UNIT_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("layer", pa.string()),
        ("unit", pa.int32()),
        ("label", pa.string()),
        ("further_labels", pa.list_(pa.string())),
        ("score", pa.float64()),
        ("margin", pa.float64()),
        ("category", pa.string()),
        ("runner_up", pa.string()),
        ("reason", pa.string()),
        *((name, pa.float64()) for name in EVIDENCE),
        ("best_concepts", pa.list_(pa.string())),
        ("best_scores", pa.list_(pa.float64())),
        ("top_images", pa.list_(pa.string())),
        ("top_activations", pa.list_(pa.float32())),
        ("active_without", pa.list_(pa.string())),
        ("silent_with", pa.list_(pa.string())),
        ("histogram", pa.list_(pa.int64())),
        ("lowest", pa.float32()),
        ("highest", pa.float32()),
    ]
)
