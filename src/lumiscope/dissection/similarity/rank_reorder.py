"""Rank reorder: does a concept put the unit's top images in the order in which the unit puts them?"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lumiscope.dissection.similarity.preparation import Matrix
from lumiscope.dissection.similarity.registry import similarity
from lumiscope.dissection.top_images import each_column, most_active_images, sum_over_images
from lumiscope.types import DoubleArray, IntArray

IMAGES_PER_TOP_IMAGE = 20
MINIMUM_TOP_IMAGES = 2
BASELINE_PERMUTATIONS = 5
BASELINE_SEED = 0


class OrderedUnits(NamedTuple):
    """A block of u units.

    `images`: (u, n) the most active images, most active first. `highest`: t, (u, n) their activations.
    `baseline`: (u,) mean of |t_sorted - t_permuted|³; NaN where all of t is equal.
    """

    images: IntArray
    highest: DoubleArray
    baseline: DoubleArray


class RankedConcepts(NamedTuple):
    """A block of k concepts: `scores` (D, k) and, for each image, its rank among them as `_rank_keys` gives it."""

    scores: DoubleArray
    keys: NDArray[np.signedinteger[Any]]


def ordered_units(activations: Matrix) -> OrderedUnits:
    """Find each unit's top images. `activations`: (D, u)."""
    images = most_active_images(activations, _num_top_images(len(activations)))
    highest = np.take_along_axis(activations, images.T, axis=0).T.astype(np.float64, order="C")
    baseline = _baseline(highest)
    return OrderedUnits(images, highest, np.where(baseline > 0, baseline, np.nan))


def ranked_concepts(concept_scores: Matrix) -> RankedConcepts:
    """Rank the images for each concept. `concept_scores`: (D, k)."""
    scores = concept_scores.astype(np.float64)
    return RankedConcepts(scores, _rank_keys(scores, _place_bits(_num_top_images(len(scores)))))


@similarity(
    name="rank_reorder",
    title="rank reorder",
    citation="Oikarinen and Weng, CLIP-Dissect, ICLR 2023, section 3.2; constants of its published code",
    equation="-(mean |t - t_reordered|³ / mean |t_sorted - t_permuted|³) / mean(P)^0.5 on the top 5 % of images",
    minimum_images=MINIMUM_TOP_IMAGES * IMAGES_PER_TOP_IMAGE,
    with_fewer="compares the order of each unit's top 2 images only, so that most concepts tie",
    of_units=ordered_units,
    of_concepts=ranked_concepts,
)
def rank_reorder(units: OrderedUnits, concepts: RankedConcepts) -> DoubleArray:
    """Reorder a unit's highest activations t by the concept's scores P and measure how far they move.

    Returns (u, k) float64, at most 0. On the n top images of a unit, t_reordered gives the image with the r-th highest
    concept score the r-th highest activation; t_permuted does so at random, over 5 permutations.

    Where the published code is undefined or random, this is the definition:
    - n = D // 20 (its int(0.05 D)) from D = 40 on; with fewer images n = min(2, D), as one image has no order.
    - The 5 permutations come from a fixed seed and are the same for all units, so no unit depends on another.
    - The ratio is NaN for a unit whose n highest activations are all equal: there is no order to compare.
    - mean(P) <= 0 gives -inf, where any disorder leads as mean(P) -> 0+: a concept absent from the top images is no
      label.
    - Equal activations: the lower image index counts as more active. Equal concept scores: the more active image
      counts as the lower score, so a concept that cannot tell the images apart gets no credit for their order.
    """
    moved = _mean_cubed_moves(units.highest, units.images, concepts.keys)
    moved /= units.baseline[:, np.newaxis]
    average_score = sum_over_images(concepts.scores, units.images) / units.images.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        similarities = 0.0 - moved / np.sqrt(average_score)
    similarities[(average_score <= 0) & ~np.isnan(moved)] = -np.inf
    return np.asarray(similarities)


def _num_top_images(num_images: int) -> int:
    return min(max(num_images // IMAGES_PER_TOP_IMAGE, MINIMUM_TOP_IMAGES), num_images)


def _place_bits(count: int) -> int:
    """How many bits a place among the top images takes."""
    return (count - 1).bit_length()


def _mean_cubed_moves(highest: DoubleArray, images: IntArray, keys: NDArray[np.signedinteger[Any]]) -> DoubleArray:
    """(u, k): the mean of |t - t_reordered|³ over the top images. `highest`: t, (u, n), in falling order."""
    count = images.shape[1]
    moved = np.empty((len(images), keys.shape[1]))
    places = np.arange(count, dtype=keys.dtype)
    for unit, chosen in enumerate(images):
        order = np.ascontiguousarray(keys[chosen].T)
        order += places
        order.sort(axis=1)
        order &= (1 << _place_bits(count)) - 1
        # Row by row: the image with the r-th lowest score gets the r-th lowest activation.
        moves = np.take(highest[unit], order, mode="clip")
        moves -= highest[unit, ::-1]
        np.abs(moves, out=moves)
        np.einsum("kr,kr,kr->k", moves, moves, moves, out=moved[unit])
    moved /= count
    return moved


def _rank_keys(scores: DoubleArray, place_bits: int) -> NDArray[np.signedinteger[Any]]:
    """(D, K): rank of each image in each concept, shifted left so that a place among the top images fits below it.

    Sorting such integers gives the order and its tie rule at once, several times faster than a stable argsort of the
    scores.
    """
    fits = len(scores) << place_bits < np.iinfo(np.int32).max
    keys = np.empty(scores.shape, np.int32 if fits else np.int64)
    for concept, column in enumerate(each_column(scores)):
        order = np.argsort(column)
        rising = column[order]
        starts = np.append(0, np.flatnonzero(rising[1:] != rising[:-1]) + 1)
        keys[order, concept] = np.repeat(starts, np.diff(starts, append=len(column)))
    keys <<= place_bits
    return keys


def _baseline(highest: DoubleArray) -> DoubleArray:
    """(U,): the mean of |t_sorted - t_permuted|³ over the top images and the seeded permutations."""
    generator = np.random.default_rng(BASELINE_SEED)
    rising = highest[:, ::-1]
    moves = [
        np.mean(np.abs(rising - rising[:, generator.permutation(rising.shape[1])]) ** 3, axis=1)
        for _ in range(BASELINE_PERMUTATIONS)
    ]
    return np.asarray(np.mean(moves, axis=0))
