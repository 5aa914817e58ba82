"""The nouns that cross rooms: arrays, what is explained, and what an explanation is. Plain arrays, no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]
DoubleArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
ByteArray: TypeAlias = NDArray[np.uint8]
FedArray: TypeAlias = NDArray[Any]
"""What a network is given of a view before its normalisation: uint8 pixels, or float32 bands."""
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

    def __int__(self) -> int:
        return self.index


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
    `intervals`: (d, 2) float64, the ends of each coefficient's confidence interval, NaN where a segment was dropped; no
    rows where the method gives none.
    `top_classes`: (n,) the `top_labels` most probable classes, best first; `top_coefficients`: (n, d) for each of them.
    """

    segments: IntArray = field(default_factory=lambda: np.zeros((0, 0), np.int64))
    coefficients: DoubleArray = field(default_factory=lambda: np.zeros(0))
    top_classes: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    top_coefficients: DoubleArray = field(default_factory=lambda: np.zeros((0, 0)))
    intervals: DoubleArray = field(default_factory=lambda: np.zeros((0, 2)))
