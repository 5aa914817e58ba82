"""Units as detectors: all thresholds on the activation, and how much of a concept's presence each of them finds."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lumiscope.dissection.similarity.preparation import Matrix, presence
from lumiscope.dissection.similarity.registry import similarity
from lumiscope.dissection.top_images import each_column
from lumiscope.types import BoolArray, DoubleArray, FloatArray, IntArray

RankArray: TypeAlias = NDArray[np.int32]

SPARSE = 16  # annotations on fewer than one image in so many are sorted, which takes a sixteenth as many steps
TILE = 128
AT_ONCE = 2**16  # sums that are made at once: they fit the processor's cache
PLACES = 64  # summed in float32 before float64 takes over; a power of 2
FEW_SUMS = 512


class SortedUnits(NamedTuple):
    """A block of u units over D images. A threshold lets in all images with the same activation, or none of them.

    `order`: (D, u) images, most active first. `reached`: (D, u) how many images are at least as active as the one at
    this place. `ranks`: (u, D) the same by image.
    """

    order: RankArray
    reached: RankArray
    ranks: RankArray


class PresentConcepts(NamedTuple):
    """A block of k concepts over D images.

    `values`: (D, k) presence in [0, 1]; NaN where constant. `totals`: (k,) its sum. `members`: for each concept that is
    present (1) on few images and absent (0) on the others, the images that have it; None for other concepts.
    """

    values: FloatArray
    totals: DoubleArray
    members: list[IntArray | None]


def sorted_units(activations: Matrix) -> SortedUnits:
    """Sort the images of each unit. `activations`: (D, u)."""
    num_images, num_units = activations.shape
    order = np.empty((num_images, num_units), np.int32)
    reached = np.empty((num_images, num_units), np.int32)
    ranks = np.empty((num_units, num_images), np.int32)
    for unit, activation in enumerate(each_column(activations)):
        by_activation = np.argsort(-activation)
        falling = activation[by_activation]
        ends = np.append(np.flatnonzero(falling[1:] != falling[:-1]) + 1, num_images)
        order[:, unit] = by_activation
        reached[:, unit] = np.repeat(ends, np.diff(ends, prepend=0))
        ranks[unit, by_activation] = reached[:, unit]
    return SortedUnits(order, reached, ranks)


def present_concepts(concept_scores: Matrix) -> PresentConcepts:
    """Make presence of scores, and find the concepts that few images have. `concept_scores`: (D, k)."""
    values = presence(concept_scores)
    totals = values.sum(axis=0)
    few = ((values == 0) | (values == 1)).all(axis=0) & (SPARSE * totals <= len(values))
    members = [np.flatnonzero(values[:, concept]) if few[concept] else None for concept in range(len(few))]
    return PresentConcepts(values.astype(np.float32), totals, members)


threshold_similarity = functools.partial(
    similarity,
    minimum_images=2,
    with_fewer="is undefined, since presence does not vary",
    of_units=sorted_units,
    of_concepts=present_concepts,
)
"""Register a similarity that looks at all thresholds; see `SimilarityMethod` for the fields that are left."""


def by_thresholds(
    units: SortedUnits,
    concepts: PresentConcepts,
    of_any: Callable[[SortedUnits, FloatArray, DoubleArray], NDArray[np.floating[Any]]],
    of_few: Callable[[RankArray, IntArray], DoubleArray],
) -> DoubleArray:
    """(u, k): what `of_few` (ranks, members) -> (u,) makes of concepts that few images have, `of_any` of the others.

    `of_any`: (units, values, totals) -> (u, k), for as many units and concepts as are fast together.
    """
    num_units = units.order.shape[1]
    result = np.empty((num_units, len(concepts.totals)))
    others = np.array([concept for concept, members in enumerate(concepts.members) if members is None], np.intp)
    for start in range(0, len(others), TILE):
        some = others[start : start + TILE]
        values = np.ascontiguousarray(concepts.values[:, some])
        for first in range(0, num_units, TILE):
            tile = slice(first, first + TILE)
            chosen = SortedUnits(units.order[:, tile], units.reached[:, tile], units.ranks[tile])
            result[tile, some] = of_any(chosen, values, concepts.totals[some])
    for concept, members in enumerate(concepts.members):
        if members is not None:
            result[:, concept] = of_few(units.ranks, members)
    return result


class FoundPresence(NamedTuple):
    """What thresholds at c places of the order, from the most active image on, find for u units and k concepts.

    `rows`: (c, u, k) presence on the image at each place. `sums`: (c, u, k) presence down to it. `reached`: (c, u) how
    many images a threshold there lets in. `ends`: (c, u) whether these are all that it lets in.
    """

    rows: FloatArray
    sums: FloatArray
    reached: RankArray
    ends: BoolArray


def found_presence(units: SortedUnits, values: FloatArray) -> Iterator[FoundPresence]:
    """Go down the thresholds of all units. `values`: (D, k). Arrays that are yielded may be written over.

    Sums of some places are made in float32, those of all the places before in float64, so that nothing drifts. Where
    float64 takes over does not depend on the number of units and concepts, so no score does.
    """
    num_images, num_units = units.order.shape
    shape = (num_units, values.shape[1])
    before = np.zeros(shape)
    before_rounded = np.zeros(shape, np.float32)
    carried = np.zeros(shape, np.float32)
    size = min(1 << (max(AT_ONCE // before.size, 1).bit_length() - 1), PLACES)
    space = np.empty((size, *shape), np.float32)
    for start in range(0, num_images, size):
        order = units.order[start : start + size]
        # mode="clip" lets take() skip a check and a copy; the indices are always valid.
        rows = np.take(values, order, axis=0, out=space[: len(order)], mode="clip")
        sums = _running_sums(rows, carried)
        carried = sums[-1].copy()
        sums += before_rounded
        if (start + size) % PLACES == 0:
            before += carried
            before_rounded = before.astype(np.float32)
            carried[:] = 0
        reached = units.reached[start : start + size]
        counts = np.arange(start + 1, start + len(rows) + 1)
        yield FoundPresence(rows, sums, reached, reached == counts[:, np.newaxis])


def _running_sums(rows: FloatArray, carried: FloatArray) -> FloatArray:
    """Sums along the first axis, from `carried` on."""
    sums = np.empty_like(rows)
    np.add(carried, rows[0], out=sums[0])
    if rows[0].size < FEW_SUMS:
        sums[1:] = rows[1:]
        return np.cumsum(sums, axis=0, out=sums)
    # cumsum() over the first axis goes element by element; this goes row by row, several times faster.
    for place in range(1, len(rows)):
        np.add(sums[place - 1], rows[place], out=sums[place])
    return sums
