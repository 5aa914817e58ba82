"""Do things that belong together resemble each other more than things that do not? The pairing permutation test."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.statistics._draws import share_of_draws
from lumiscope.statistics._kept_draws import Block, Draws
from lumiscope.statistics.exchange import Exchange
from lumiscope.statistics.groups import Groups, clusters
from lumiscope.types import DoubleArray

EXACT_UP_TO = 7  # 5,040 pairings
ROUNDING = 1e-12  # sums of the same numbers in another order are the same number


def pairing_test(
    likenesses: Sequence[DoubleArray],
    *,
    permutations: int = 10_000,
    groups: Sequence[Groups] | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """Whether the a and the b of one image are more alike than those of different images.

    `likenesses`: square matrices, (m, m) each, of sets of images: row i, column j says how alike the a of image i and
    the b of image j of the set are, such as the IoU of their masks. Returns the mean over different images of one
    set, and the p-value, in (0, 1], of the mean over the diagonals if each a could as well belong to the b of any
    image of its set: up to 7 images in a single set all pairings are counted; else `permutations` are drawn and
    p = (b + 1) / (m + 1), b of m being at least as alike (Phipson and Smyth 2010). Where fewer than 10 of them are, 4
    times as many more are drawn: where a few images carry the sum, no tail that is fitted to draws can be believed.
    With n images in one set no p-value is below 1 / n!.
    `groups`: for each matrix one label per image, where images come in clusters, such as classes; a label may occur in
    several. Then whole groups that are of equal size in every set change places, and images within their group, and
    such pairings are always drawn; no p-value is below one over their number. A group of a size that no other has is
    paired within itself.
    (NaN, NaN) without images; the mean is NaN and p is 1 where no set has two. Errors: `UsageError` for matrices that
    are not square, or not finite, for fewer than 1 permutation, and unless `groups` has one label per image.
    Source: Fisher 1935, section 21, for the pairing; shuffled images as the null of maps are those of Zhang et al.
    2008, SUN, section 5, "shuffled AUC".
    """
    matrices = [np.asarray(matrix, np.float64) if len(matrix) else np.empty((0, 0)) for matrix in likenesses]
    if any(not _is_square(matrix) for matrix in matrices):
        raise UsageError("a pairing test needs square matrices of finite numbers, images by images")
    if permutations < 1:
        raise UsageError(f"a permutation test needs at least 1 permutation; got {permutations}")
    sizes = [len(matrix) for matrix in matrices]
    if not sum(sizes):
        return math.nan, math.nan
    together, mean = sum(float(np.trace(matrix)) for matrix in matrices), mean_of_others(matrices)
    least = together - ROUNDING * sum(float(np.abs(matrix).sum()) for matrix in matrices)
    groups = _clustered(groups, sizes)
    if groups is None and max(sizes) == sum(sizes) <= EXACT_UP_TO:
        (matrix,) = (matrix for matrix in matrices if len(matrix))
        pairings = np.array(list(itertools.permutations(range(len(matrix)))))
        return mean, float(np.mean(_sums_of_sets([matrix], pairings.T) >= least))
    exchange = _exchange(sizes, groups)
    draws = Draws(exchange, seed)

    def as_alike(count: int) -> int:
        return draws.count(count, lambda pairings: _sums_of_sets(matrices, pairings) >= least)

    return mean, max(math.exp(-exchange.log_count), share_of_draws(as_alike, permutations))


def mean_of_others(likenesses: Sequence[DoubleArray]) -> float:
    """The mean of what is off the diagonals of square matrices; NaN where no matrix has two rows."""
    others = sum(len(matrix) * (len(matrix) - 1) for matrix in likenesses)
    together = sum(float(np.trace(matrix)) for matrix in likenesses)
    return (sum(float(matrix.sum()) for matrix in likenesses) - together) / others if others else math.nan


def _is_square(matrix: DoubleArray) -> bool:
    return matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] and bool(np.isfinite(matrix).all())


def _clustered(groups: Sequence[Groups] | None, sizes: Sequence[int]) -> Sequence[Groups] | None:
    """`groups`; None where each image is by itself. Errors: `UsageError` for other numbers of labels than images."""
    if groups is not None and [len(labels) for labels in groups] != list(sizes):
        raise UsageError(f"groups need one label per image; got {[*map(len, groups)]} labels for {list(sizes)} images")
    together = groups and clusters([label for labels in groups for label in labels], sum(sizes))
    return groups if together else None


def _exchange(sizes: Sequence[int], groups: Sequence[Groups] | None) -> Exchange:
    """Images stay in their set."""
    sets = np.repeat(np.arange(len(sizes)), sizes)
    if groups is None:
        return Exchange.of(len(sets), strata=sets)
    return Exchange.of(len(sets), [label for labels in groups for label in labels], sets)


def _sums_of_sets(matrices: Sequence[DoubleArray], pairings: Block) -> DoubleArray:
    """(k,): the sums over all sets, whose images are numbered on from set to set in `pairings`, (n, k)."""
    total, first = np.zeros(pairings.shape[1]), 0
    for matrix in matrices:
        for row, partners in zip(matrix, pairings[first : first + len(matrix)], strict=True):
            total += row.take(partners - first)
        first += len(matrix)
    return total
