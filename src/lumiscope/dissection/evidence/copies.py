"""Images that are copies of one another, or nearly so: found by what units and concepts say of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.stats import chi2

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection, blocks
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence.image_groups import ImageGroups
from lumiscope.types import DoubleArray, IntArray

NEAR = 0.1  # of the squared distance that two images usually have
CHANCE = 0.01  # pairs so near that may be expected of images that have nothing to do with each other
SKETCHED = 64  # random directions in which distances are tried first
SAMPLED_PAIRS = 4000
COMPARED = 100  # columns in which rows may coincide by chance: more make it less probable still
MOST_SAMPLED = 0.1  # of sampled pairs that may be near: more are no copies, but images on which little happens
ROWS = 512
MOST_IMAGES = 20_000  # all pairs of them are looked at


class _Rows:
    """The rows of a matrix, (D, n), with each column less its mean and divided by its deviation; how far apart."""

    def __init__(self, matrix: Columns, seed: int) -> None:
        self._matrix = matrix
        random = generator(seed, "copies", matrix.shape[1])
        num_images = len(matrix)
        self.sketch = np.zeros((num_images, SKETCHED))
        self._centre, self._width = np.zeros((2, matrix.shape[1]))
        for where in blocks(matrix, 3):
            columns = matrix[:, where].astype(np.float64)
            self._centre[where], width = columns.mean(axis=0), columns.std(axis=0)
            self._width[where] = np.where(width > 0, width, np.inf)
            self.sketch += self._scaled(columns, where) @ random.normal(size=(columns.shape[1], SKETCHED))
        self.sketch /= np.sqrt(SKETCHED)
        first, second = random.integers(0, num_images, (2, SAMPLED_PAIRS))
        usual = self.distances(first[first != second], second[first != second])
        self.median = float(np.median(usual))
        # That of as many independent normal columns as have distances that vary as much.
        freedom = 2 * usual.mean() ** 2 / max(float(usual.var()), 1e-300)
        nearest = chi2.ppf(CHANCE / (num_images**2 / 2), freedom) / freedom
        self.near = min(NEAR, float(nearest)) * self.median
        self.plausible = self.median > 0 and bool(np.mean(usual <= self.near) <= MOST_SAMPLED)

    def distances(self, first: IntArray, second: IntArray) -> DoubleArray:
        """(m,): squared distances of images `first` and `second`, (m,)."""
        sums = np.zeros(len(first))
        for where in blocks(self._matrix, 3 * max(1, len(first) // max(len(self._matrix), 1))):
            rows = self._scaled(self._matrix[:, where].astype(np.float64), where)
            sums += ((rows[first] - rows[second]) ** 2).sum(axis=1)
        return sums

    def _scaled(self, columns: DoubleArray, where: slice) -> DoubleArray:
        return np.asarray((columns - self._centre[where]) / self._width[where])


def with_copies(groups: ImageGroups, activations: Columns, concept_scores: Columns, seed: int) -> ImageGroups:
    """Join the groups of images that are copies of one another, or nearly so.

    `activations`: (D, U) of live units. `concept_scores`: (D, K). Two images are taken for copies where both the units'
    and the concepts' rows, columns standardised, differ by at most a tenth of the squared distance that two images
    usually have (a correlation of 0.9), and by less than chance would bring about once in a hundred lists: few columns
    say nothing. With more than 20,000 images nothing is looked for.
    """
    num_images = len(activations)
    if not 2 <= num_images <= MOST_IMAGES or not activations.shape[1]:
        return groups
    matrices = activations, concept_scores
    if coincides_by_chance(matrices):
        return groups
    both = [_Rows(matrix, seed) for matrix in matrices]
    if not all(rows.plausible for rows in both):
        return groups
    first, second = _candidates(both)
    for rows in both:
        near = rows.distances(first, second) <= rows.near
        first, second = first[near], second[near]
    if not len(first):
        return groups
    joined = (np.concatenate([first, groups.first[groups.of]]), np.concatenate([second, np.arange(num_images)]))
    links = coo_matrix((np.ones(len(joined[0])), joined), shape=(num_images, num_images))
    return ImageGroups.by(connected_components(links, directed=False)[1])


def coincides_by_chance(matrices: tuple[Columns, ...]) -> bool:
    """Whether two images have the same values in all columns of (D, n) `matrices` in more than 1 % of lists."""
    num_images = len(matrices[0])
    logs = (
        _log_coincidence(column)
        for matrix in matrices
        for column in Selection(matrix, columns=np.arange(min(COMPARED, matrix.shape[1])))[:, :].T
    )
    return bool(np.log(num_images**2 / 2) + sum(logs) > np.log(CHANCE))


def _candidates(both: list[_Rows]) -> tuple[IntArray, IntArray]:
    """Pairs of images, first < second, that may be near in all matrices, by their sketches."""
    pairs: list[tuple[IntArray, IntArray]] = []
    num_images = len(both[0].sketch)
    for start in range(0, num_images, ROWS):
        near = np.triu(np.ones((min(ROWS, num_images - start), num_images), np.bool_), start + 1)
        for rows in both:
            # A sketch's distance is off by a sixth; half as far again is to be looked at.
            near &= _sketched(rows.sketch, start) <= 2 * rows.near
        row, column = np.nonzero(near)
        pairs.append((row + start, column))
    return np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])


def _sketched(sketch: DoubleArray, start: int) -> DoubleArray:
    """(r, D): squared distances of some rows of `sketch` to all."""
    some, lengths = sketch[start : start + ROWS], (sketch**2).sum(axis=1)
    return np.asarray(lengths[start : start + ROWS, np.newaxis] + lengths - 2 * (some @ sketch.T))


def _log_coincidence(column: NDArray[np.floating[Any]]) -> float:
    """Log of how probable it is that two images have the same value in a column, (D,)."""
    counts = np.unique(column, return_counts=True)[1]
    pairs = float((counts * (counts - 1.0)).sum())
    return float(np.log(max(pairs, 1.0) / (len(column) * (len(column) - 1.0))))
