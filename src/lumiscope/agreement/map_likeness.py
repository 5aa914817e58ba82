"""How alike two maps of one image are, without masks: on common cells, on segments, and less what both owe to habit.

Pixels of a map are not independent, and maps of different methods differ in grain. So maps are compared on the same
14 x 14 cells and on the segments that one of the methods used. What is left after the centre of the view and the edges
of the picture are taken out is what neither can explain.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lumiscope.agreement.other_images import image_sets
from lumiscope.statistics import Groups, mean_of_others, pairing_test
from lumiscope.types import DoubleArray, FloatArray, IntArray

CELLS = 14  # a side
TOP = (0.05, 0.1, 0.2, 0.3, 0.5)  # shares of the cells that are called the most important
DEGREE = 3  # of the polynomials of centre and edges that are taken out
GRAINS = (0.0, 0.75, 1.5)  # standard deviations of the blur under which edges are taken out, in cells
CENTRE = 0.25  # standard deviation of the centred Gaussian, in sides of the view


@dataclass(frozen=True)
class CellMap:
    """What is kept of one map. `ranks`, `residuals`: (196,) of mean 0 and length 1; None where the map is constant.

    `residuals`: of the ranks, after all that a polynomial of degree 3 can make of the ranks of a centred Gaussian and
    of the picture's edges, as they are and blurred over two grains, is taken out. `means`: of the cells. `segments`:
    mean in each segment; None where there are none.
    """

    means: DoubleArray
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
    means = cell_means(shown)
    ranks = _standard(_ranks(means))
    return CellMap(
        means=means,
        ranks=ranks,
        residuals=None if ranks is None else _standard(_without_habit(ranks, shown.shape, cell_means(edges))),
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
    ranks_a, ranks_b = _standard(_ranks(a.segments)), _standard(_ranks(b.segments))
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
    a: Sequence[DoubleArray | None], b: Sequence[DoubleArray | None], labels: Groups, *, seed: int = 0
) -> tuple[float, float]:
    """Mean correlation of the maps of different images, and the p-value of that of the same; see `pairing_test`.

    As in `cross_likeness`. `labels`: which images belong together.
    """
    sets = cross_likeness(a, b, labels, seed=seed)
    return pairing_test([some.likeness for some in sets], groups=[some.labels for some in sets], seed=seed)


@dataclass(frozen=True)
class CrossLikeness:
    """(m, m) correlations of one method's maps (rows) with the other's (columns). `labels`: (m,) the images' groups."""

    likeness: DoubleArray
    labels: Groups


def cross_likeness(
    a: Sequence[DoubleArray | None], b: Sequence[DoubleArray | None], labels: Groups, *, seed: int = 0
) -> list[CrossLikeness]:
    """Correlations of two methods' maps in sets of images, at random where there are many.

    `a`, `b`: ranks, residuals or top cells of either method, image by image; images where one is None do not count. Of
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


def _ranks(values: DoubleArray | FloatArray) -> DoubleArray:
    """(d,) from 1; ties have their mean rank, and nothing has one beside NaN. A tenth of the time of scipy's."""
    if np.isnan(values).any():
        return np.full(len(values), np.nan)
    ordered = np.sort(values)
    return (ordered.searchsorted(values) + 1 + ordered.searchsorted(values, "right")) / 2


def _standard(values: DoubleArray) -> DoubleArray | None:
    """Mean 0 and length 1; None for what is constant or not finite."""
    centred = values - values.mean()
    length = math.sqrt(float(centred @ centred))
    return None if not length > 1e-9 * max(1.0, float(np.abs(values).max())) else np.asarray(centred / length)


def _without_habit(ranks: DoubleArray, shape: tuple[int, ...], edges: DoubleArray) -> DoubleArray:
    rows, columns = (min(CELLS, size) for size in shape)
    habits = _habits(rows, columns, edges.tobytes())
    return np.asarray(ranks - habits @ (habits.T @ ranks))


@functools.lru_cache(8)  # an image's maps come one after the other
def _habits(rows: int, columns: int, edges: bytes) -> DoubleArray:
    """(d, h) orthonormal: all that centre and edges can make. `edges`: (d,) float64, mean of each cell."""
    from scipy.ndimage import gaussian_filter

    grid = np.frombuffer(edges).reshape(rows, columns)
    x = _centre(rows, columns)
    # Ranks of a sum are no sum of ranks: polynomials follow what is left of it.
    powers = [x**i for i in range(DEGREE + 1)]
    for grain in GRAINS:
        y = _scaled_ranks((gaussian_filter(grid, grain) if grain else grid).ravel())
        powers += [x**i * y**j for i in range(DEGREE + 1) for j in range(1, DEGREE + 1 - i)]
    basis, strengths, _ = np.linalg.svd(np.stack(powers, axis=1), full_matrices=False)
    return np.asarray(basis[:, strengths > np.finfo(np.float64).eps * len(basis) * strengths[0]])


@functools.lru_cache(8)
def _centre(rows: int, columns: int) -> DoubleArray:
    """(d,) ranks, from -1 to 1, of the centred Gaussian."""
    y, x = ((np.arange(size) + 0.5) / size - 0.5 for size in (rows, columns))
    return _scaled_ranks(np.exp(-(y[:, np.newaxis] ** 2 + x**2) / (2 * CENTRE**2)).ravel())


def _scaled_ranks(values: DoubleArray) -> DoubleArray:
    """From -1 to 1."""
    return np.asarray(2 * _ranks(values) / len(values) - 1)


def _segment_means(shown: FloatArray, segments: IntArray) -> DoubleArray:
    sizes = np.bincount(segments.ravel())
    sums = np.bincount(segments.ravel(), weights=shown.ravel())
    return np.asarray(sums[sizes > 0] / sizes[sizes > 0])
