"""Slow, plain programs that say what an entry must give; each registers itself for the comparison."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from lumiscope.registry import Registry
from lumiscope.trust import Explainer, TrueEffects
from lumiscope.types import BoolArray, ByteArray, DoubleArray, IntArray


@dataclass(frozen=True)
class Question:
    """What a method is asked about one image, in float64 and without anything that methods share.

    `network`: in evaluation mode. `pixels`: (H, W, 3) uint8, the view. `mean`, `std`: of RGB, the normalisation.
    `layer`: where to look. `target`: the column of the scores. `seed`: where the method's random choices come from.
    `options`: the method's own, all of them.
    """

    network: torch.nn.Module
    pixels: ByteArray
    mean: tuple[float, ...]
    std: tuple[float, ...]
    layer: str
    target: int
    seed: int
    options: Mapping[str, Any]

    @functools.cached_property
    def image(self) -> torch.Tensor:
        """(3, H, W) float64: the normalised view."""
        return self.image_of(self.pixels)

    def image_of(self, pixels: NDArray[np.generic]) -> torch.Tensor:
        """(3, H, W) float64: (H, W, 3) `pixels` from 0 to 255, normalised."""
        stored = torch.from_numpy(np.asarray(pixels, np.float64)).permute(2, 0, 1) / 255
        mean, std = (torch.tensor(part, dtype=torch.float64).view(3, 1, 1) for part in (self.mean, self.std))
        return (stored - mean) / std

    def scores(self, image: torch.Tensor) -> DoubleArray:
        """(classes,) float64 raw scores of a normalised (3, H, W) image."""
        with torch.no_grad():
            scores: DoubleArray = self.network(image[None].double())[0].numpy()
        return scores

    def probabilities(self, image: torch.Tensor) -> DoubleArray:
        """(classes,) float64 probabilities, the softmax of the scores."""
        scores = self.scores(image)
        powers = np.exp(scores - scores.max())
        return np.asarray(powers / powers.sum())


MethodReference: TypeAlias = Callable[[Question], NDArray[np.floating[Any]]]
"""A question -> (H, W) values of the map."""
SimilarityReference: TypeAlias = Callable[[DoubleArray, DoubleArray], NDArray[np.floating[Any]]]
"""(D, U) activations and (D, K) concept scores -> (U, K)."""


@dataclass(frozen=True)
class Known:
    """What a trust metric is told of the picture of a question. See `JudgedView`.

    `item_id`: which seeds derive from. `truth`: (H, W). `superpixels`: (H, W) from 0. `explainer`: of every map.
    `redraw`: a map under another seed, from the map and the seed's number.
    """

    item_id: str
    truth: BoolArray
    effects: TrueEffects
    superpixels: IntArray
    explainer: Explainer
    redraw: Callable[[DoubleArray, int], DoubleArray]


MetricReference: TypeAlias = Callable[[Question, Sequence[DoubleArray], Known], Sequence[float]]
"""A question, (H, W) maps of its picture and what is known of it -> one value each; NaN where undefined."""


@dataclass(frozen=True)
class RegisteredReference:
    """A method's reference. `options`: those under which the two are compared, so that little has to be computed."""

    function: MethodReference
    options: Mapping[str, Any]


METHOD_REFERENCES: Registry[RegisteredReference] = Registry("reference of a method")
"""The references of attribution methods, by the method's name."""
SIMILARITY_REFERENCES: Registry[SimilarityReference] = Registry("reference of a similarity")
"""The references of similarities, by the similarity's name."""
METRIC_REFERENCES: Registry[MetricReference] = Registry("reference of a metric")
"""The references of trust metrics, by the metric's name."""


def replicates(method: str, **options: Any) -> Callable[[MethodReference], MethodReference]:
    """Register the decorated function as the slow, plain reference of an attribution method.

    `options`: of the method, for the comparison.
    """

    def register(function: MethodReference) -> MethodReference:
        METHOD_REFERENCES.register(method, RegisteredReference(function, options), defined_by=function)
        return function

    return register


def replicates_similarity(similarity: str) -> Callable[[SimilarityReference], SimilarityReference]:
    """Register the decorated function as the slow, plain reference of a similarity."""

    def register(function: SimilarityReference) -> SimilarityReference:
        SIMILARITY_REFERENCES.register(similarity, function, defined_by=function)
        return function

    return register


def replicates_metric(metric: str) -> Callable[[MetricReference], MetricReference]:
    """Register the decorated function as the slow, plain reference of a trust metric."""

    def register(function: MetricReference) -> MetricReference:
        METRIC_REFERENCES.register(metric, function, defined_by=function)
        return function

    return register
