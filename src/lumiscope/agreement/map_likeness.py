"""How alike two maps of one image are, without masks: on common cells, on segments, and less what both owe to habit.

Pixels of a map are not independent, and maps of different methods differ in grain. So maps are compared on the same
14 x 14 cells and on the segments that one of the methods used. What is left after the centre of the view and the edges
of the picture are taken out is what neither can explain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lumiscope.agreement._habits import cross_residual_likeness, habits, mean_ranks
from lumiscope.agreement.other_images import image_sets
from lumiscope.statistics import Groups, mean_of_others, pairing_test
from lumiscope.types import DoubleArray, FloatArray, IntArray

CELLS = 14  # a side
TOP = (0.05, 0.1, 0.2, 0.3, 0.5)  # shares of the cells that are called the most important


@dataclass(frozen=True)
class CellMap:
    """What is kept of one map. `ranks`, `residuals`: (196,) of mean 0 and length 1; None where the map is constant.

    `residuals`: of the ranks, after all that centre and edges can make of a map is taken out (see `habits`). `means`,
    `edges`: of the cells. `sides`: rows and columns of cells. `segments`: mean in each segment; None where there are
    none.
    """

    means: DoubleArray
    edges: DoubleArray
    sides: tuple[int, int]
    ranks: DoubleArray | None
    residuals: DoubleArray | None
    segments: DoubleArray | None
    _tops: dict[float, DoubleArray] = field(default_factory=dict, init=False, repr=False, compare=False)

    def top(self, share: float) -> DoubleArray | None:
        """(d,) how surely each cell is among the most important `share` of them; None where the map is constant."""
        if self.ranks is None:
            return None
        if share not in self._tops:
            self._tops[share] = _chosen(self.means, _count(share, len(self.means)))
        return self._tops[share]


def cell_means(values: FloatArray | DoubleArray, cells: int = CELLS) -> DoubleArray:
    """(H, W) -> (cells²,), or fewer where the view has fewer pixels: the mean of each cell, row by row."""
    rows, columns = (np.linspace(0, size, min(cells, size) + 1).astype(np.int64) for size in values.shape)
    sums = np.add.reduceat(np.add.reduceat(np.asarray(values, np.float64), rows[:-1], axis=0), columns[:-1], axis=1)
    return np.asarray(sums / np.outer(np.diff(rows), np.diff(columns))).ravel()


def cell_map(shown: FloatArray, edges: FloatArray | DoubleArray, segments: IntArray | None = None) -> CellMap:
    """What `likeness` needs of a map. `shown`: (H, W) as displayed. `edges`: (H, W), strength of the picture's edges.

    `segments`: (H, W) ids 0..d-1.
    """
    means, of_edges = cell_means(shown), cell_means(edges)
    rows, columns = (min(CELLS, side) for side in shown.shape)
    ranks, habit = _standard(mean_ranks(means)), habits(rows, columns, of_edges.tobytes())
    return CellMap(
        means=means,
        edges=of_edges,
        sides=(rows, columns),
        ranks=ranks,
        residuals=None if ranks is None else _standard(ranks - habit @ (habit.T @ ranks)),
        segments=None if segments is None else _segment_means(shown, segments),
    )


def rank_likeness(a: CellMap, b: CellMap) -> float:
    """Spearman's rank correlation on the cells; NaN where a map is constant."""
    return math.nan if a.ranks is None or b.ranks is None else float(a.ranks @ b.ranks)


def partial_likeness(a: CellMap, b: CellMap) -> float:
    """The same of what centre and edges leave: a partial rank correlation."""
    return math.nan if a.residuals is None or b.residuals is None else float(a.residuals @ b.residuals)


def segment_likeness(a: CellMap, b: CellMap) -> float:
    """Spearman's rank correlation of the means in segments; NaN without segments or where a map is constant there."""
    if a.segments is None or b.segments is None:
        return math.nan
    ranks_a, ranks_b = _standard(mean_ranks(a.segments)), _standard(mean_ranks(b.segments))
    return math.nan if ranks_a is None or ranks_b is None else float(ranks_a @ ranks_b)


def top_agreement(a: CellMap, b: CellMap, share: float) -> float:
    """|A ∩ B| / k of the k most important cells of either map, k being the `share` of all.

    Where cells tie for the last places, the value that is expected if chance decides (Krishna et al. 2022, The
    disagreement problem in explainable machine learning, "feature agreement"; there ties go by position). Maps whose
    cells are independent share k over the number of cells on average; smooth or centred ones of different pictures
    share more, see `top_agreement_of_other_images`. NaN where a map is constant.
    """
    top_a, top_b = a.top(share), b.top(share)
    return math.nan if top_a is None or top_b is None else float(top_a @ top_b) / _count(share, len(top_a))


def top_agreement_of_other_images(
    a: Sequence[CellMap], b: Sequence[CellMap], share: float, labels: Groups, *, seed: int = 0
) -> float:
    """The mean `top_agreement` of one method's map of an image and the other's of a different one.

    `a`, `b`: the maps of either method, image by image. `labels`: which images belong together. NaN where fewer
    than two images have maps that vary.
    """
    first, second = ([cells.top(share) for cells in maps] for maps in (a, b))
    sets = cross_likeness(first, second, labels, seed=seed)
    return mean_of_others([some.likeness for some in sets]) / _count(share, len(a[0].means)) if sets else math.nan


def compare_maps_of_other_images(
    a: Sequence[CellMap], b: Sequence[CellMap], labels: Groups, *, seed: int = 0
) -> tuple[float, float]:
    """Mean partial correlation of the maps of different images, and the p-value of that of the same.

    `a`, `b`: the maps of either method, image by image. `labels`: which images belong together. Those that have
    residuals count, in sets at random where there are many. Of different images the habits of both are taken out, see
    `cross_residual_likeness`. For the p-value, that of `pairing_test`, what a method shows on average over the images
    is taken out first: as edges hide more or less of it, it would be more alike in one image than in two.
    """
    both = [pair for pair in zip(a, b, labels, strict=True) if pair[0].residuals is not None is not pair[1].residuals]
    of_both = [label for _, _, label in both]
    sets = list(image_sets(range(len(both)), of_both, seed))
    maps = [([both[place][0] for place in places], [both[place][1] for place in places]) for places in sets]
    mean = mean_of_others([_cross_partial(*of_set, _residuals) for of_set in maps])
    around_means = [_cross_partial(*of_set, _residuals_around_mean) for of_set in maps]
    groups = [[of_both[place] for place in places] for places in sets]
    return mean, pairing_test(around_means, groups=groups, seed=seed)[1]


def _cross_partial(
    a: Sequence[CellMap], b: Sequence[CellMap], residuals: Callable[[Sequence[CellMap]], DoubleArray]
) -> DoubleArray:
    """(m, m): both methods' maps of m images with one another."""
    edges = tuple(of_image.edges.tobytes() for of_image in a)
    return cross_residual_likeness(residuals(a), residuals(b), a[0].sides, edges)


def _residuals(maps: Sequence[CellMap]) -> DoubleArray:
    """(m, d) of length 1."""
    return np.array([of_image.residuals for of_image in maps], np.float64)


def _residuals_around_mean(maps: Sequence[CellMap]) -> DoubleArray:
    """(m, d) of length 1, or 0 where nothing is left: ranks less their mean over images, without the image's habits."""
    ranks = np.array([of_image.ranks for of_image in maps], np.float64)
    residuals = np.zeros_like(ranks)
    for row, (of_image, centred) in enumerate(zip(maps, ranks - ranks.mean(0), strict=True)):
        habit = habits(*of_image.sides, of_image.edges.tobytes())
        left = _standard(centred - habit @ (habit.T @ centred))
        if left is not None:
            residuals[row] = left
    return residuals


@dataclass(frozen=True)
class CrossLikeness:
    """(m, m) correlations of one method's maps (rows) with the other's (columns). `labels`: (m,) the images' groups."""

    likeness: DoubleArray
    labels: Groups


def cross_likeness(
    a: Sequence[DoubleArray | None], b: Sequence[DoubleArray | None], labels: Groups, *, seed: int = 0
) -> list[CrossLikeness]:
    """Correlations of two methods' maps in sets of images, at random where there are many.

    `a`, `b`: ranks or top cells of either method, image by image; images where one is None do not count. Of
    top cells the products are how many both have.
    """
    both = [pair for pair in zip(a, b, labels, strict=True) if pair[0] is not None and pair[1] is not None]
    if not both:
        return []
    of_both = [label for _, _, label in both]
    first, second = (np.stack(side) for side in list(zip(*both, strict=True))[:2])
    return [
        CrossLikeness(first[some] @ second[some].T, [of_both[place] for place in some])
        for some in image_sets(range(len(both)), of_both, seed)
    ]


def _count(share: float, cells: int) -> int:
    return max(1, round(share * cells))


def _chosen(means: DoubleArray, count: int) -> DoubleArray:
    """(d,) how surely each cell is among the `count` highest: 1, 0, or a share where cells tie for the last places."""
    last = np.sort(means)[-count]
    above, level = means > last, means == last
    return np.asarray(above + level * (count - above.sum()) / level.sum(), np.float64)


def _standard(values: DoubleArray) -> DoubleArray | None:
    """Mean 0 and length 1; None for what is constant or not finite."""
    centred = values - values.mean()
    length = math.sqrt(float(centred @ centred))
    return None if not length > 1e-9 * max(1.0, float(np.abs(values).max())) else np.asarray(centred / length)


def _segment_means(shown: FloatArray, segments: IntArray) -> DoubleArray:
    sizes = np.bincount(segments.ravel())
    sums = np.bincount(segments.ravel(), weights=shown.ravel())
    return np.asarray(sums[sizes > 0] / sizes[sizes > 0])
