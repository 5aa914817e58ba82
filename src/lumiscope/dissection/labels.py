"""Label every unit of a layer with the concept that is most like it, or say why it has no label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.dissection.similarity import get_similarity
from lumiscope.dissection.top_images import most_active_images
from lumiscope.errors import ScorerError
from lumiscope.types import BoolArray, DoubleArray, IntArray, LayerLabels

CONSTANT = "constant: the same activation on every probing image (dead)"
NOT_FINITE = "not finite"
ROUNDING = 1e-12  # relative: scores that differ by less are the same number, computed in another order
UNDEFINED = "undefined: the similarity gives no concept a finite score"


def label_units(
    activations: NDArray[np.floating[Any]],
    concept_scores: NDArray[np.floating[Any]],
    *,
    model: str,
    layer: str,
    similarity: str = "soft_wpmi",
    top_images: int = 10,
) -> LayerLabels:
    """Give every unit its most similar concept, the runner-up and the margin between them.

    `activations`: (D, U) pooled activations. `concept_scores`: (D, K), finite. `similarity`: a registered name.
    `top_images`: how many of the most activating images to keep per unit.

    A unit without a label has concept -1, NaN score and margin, and a reason: its activation is constant, or not
    finite, or its similarities are undefined. Constant and non-finite units are left out of the similarity, so they
    change nobody's score: the average over units in WPMI and soft WPMI runs over the live units only. (CLIP-Dissect
    labels dead units and averages over them; on a layer without such units the two agree.)

    Concepts whose scores differ by no more than rounding go by the similarity's tie breaker, else by their index.
    Where no second concept has a finite score, as with K = 1, the runner-up is -1 and the margin NaN.
    Raises UnknownNameError, and ScorerError for scores that are not finite or do not fit.
    """
    finite = np.isfinite(activations).all(axis=0)
    constant = finite & (activations == activations[:1]).all(axis=0)
    similarities = _similarities(activations, concept_scores, finite & ~constant, similarity)
    preferences = _preferences(activations, concept_scores, similarities, similarity)
    concept, score = _take_best(similarities, preferences)
    runner_up, runner_up_score = _take_best(similarities, preferences)
    images = most_active_images(activations, top_images)
    return LayerLabels(
        model=model,
        layer=layer,
        concept=concept,
        score=score,
        runner_up=runner_up,
        margin=score - runner_up_score,
        reason=_reasons(finite, constant, concept),
        top_images=images,
        top_activations=np.take_along_axis(activations, images.T, axis=0).T.astype(np.float32),
    )


def small_sample_notes(similarity: str, num_images: int) -> tuple[str, ...]:
    """Say what `similarity` does with fewer probing images than its definition asks for; empty with enough."""
    method = get_similarity(similarity)
    if num_images >= method.minimum_images:
        return ()
    return (
        f"{num_images} probing images are few: {method.title} is defined for {method.minimum_images} or more; "
        f"with fewer it {method.with_fewer}.",
    )


def _similarities(
    activations: NDArray[np.floating[Any]], concept_scores: NDArray[np.floating[Any]], live: BoolArray, name: str
) -> DoubleArray:
    """(U, K): the similarities among the live units; NaN for the others."""
    method = get_similarity(name)
    if not np.isfinite(concept_scores).all():
        image, concept = np.argwhere(~np.isfinite(concept_scores))[0]
        raise ScorerError(f"concept scores must be finite; image {image}, concept {concept} is not")
    similarities = np.full((activations.shape[1], concept_scores.shape[1]), np.nan)
    if live.any():
        similarities[live] = method(activations[:, live], concept_scores)
    return similarities


def _preferences(
    activations: NDArray[np.floating[Any]],
    concept_scores: NDArray[np.floating[Any]],
    similarities: DoubleArray,
    name: str,
) -> dict[int, DoubleArray]:
    """For each unit whose two best concepts score alike up to rounding: (K,) what to prefer among them."""
    tie_breaker = get_similarity(name).tie_breaker
    if tie_breaker is None or similarities.shape[1] < 2:
        return {}
    candidates = np.where(np.isfinite(similarities), similarities, -np.inf)
    second, best = np.partition(candidates, -2, axis=1)[:, -2:].T
    tied = np.flatnonzero(np.isfinite(second) & (second >= best - ROUNDING * np.abs(best)))
    if not tied.size:
        return {}
    return dict(zip(tied.tolist(), tie_breaker(activations[:, tied], concept_scores), strict=True))


def _take_best(similarities: DoubleArray, preferences: dict[int, DoubleArray]) -> tuple[IntArray, DoubleArray]:
    """Return index and value of each row's highest finite entry, -1 and NaN where there is none, and strike it out."""
    candidates = np.where(np.isfinite(similarities), similarities, -np.inf)
    index = candidates.argmax(axis=1)
    rows = np.arange(len(similarities))
    value = candidates[rows, index]
    for row, preference in preferences.items():
        alike = np.flatnonzero(candidates[row] >= value[row] - ROUNDING * np.abs(value[row]))
        index[row] = alike[preference[alike].argmax()]
    similarities[rows, index] = np.nan
    found = np.isfinite(value)
    return np.where(found, index, -1), np.where(found, value, np.nan)


def _reasons(finite: BoolArray, constant: BoolArray, concept: IntArray) -> tuple[str, ...]:
    reasons = np.select([~finite, constant, concept < 0], [NOT_FINITE, CONSTANT, UNDEFINED], default="")
    return tuple(str(reason) for reason in reasons)
