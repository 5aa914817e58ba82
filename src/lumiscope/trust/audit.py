"""An audit that nobody asked for: is there a place of the view that draws weight whatever the pictures show?

A stamp, a logo, a frame, a mark: what lies at one place in many pictures and gives the class away. Things in pictures
lie as often on the left as on the right, so under the null each map could as well be its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.ndimage import label as connected
from scipy.ndimage import uniform_filter
from scipy.spatial.distance import squareform

from lumiscope.statistics import Groups, mean_test, numbered
from lumiscope.trust.judged_view import grid_cells
from lumiscope.types import BoolArray, DoubleArray, IntArray

CELLS = 14  # a side
FEWEST = 6  # images, so that 2^6 mirrorings can show something
DRAWS = 9_999
REGION = 0.5  # of the greatest difference between a cell and its mirror image: cells above it are the region
TWICE = 2.0  # times as much weight as in the mirror image is what must be shown
APART = 0.5  # 1 - correlation, up to which maps are of one cluster


@dataclass(frozen=True)
class Attractor:
    """The place of the view that draws most weight beyond its mirror image. `p_value`: that no place does.

    `region`: (CELLS, CELLS). `weight`: mean share of a map's positive weight there; `mirrored`: in its mirror image.
    `typical`: which map is the most typical of those that have weight there.
    """

    region: BoolArray
    weight: float
    mirrored: float
    p_value: float
    typical: int

    @property
    def area(self) -> float:
        """Share of the view."""
        return float(self.region.mean())

    @property
    def place(self) -> str:
        """Where that is, in words."""
        return place_of(self.region)


def place_of(region: BoolArray) -> str:
    """Where the middle of a region of the view, (CELLS, CELLS), is, in words."""
    rows, columns = (float(np.mean(axis)) / (CELLS - 1) for axis in np.nonzero(region))
    upright = "upper" if rows < 1 / 3 else "lower" if rows > 2 / 3 else ""
    side = "left" if columns < 1 / 3 else "right" if columns > 2 / 3 else ""
    if upright and side:
        return f"{upright} {side} corner"
    return f"{upright} middle" if upright else f"{side} side" if side else "middle"


def cell_shares(values: DoubleArray) -> DoubleArray:
    """(CELLS, CELLS): the share of (H, W) positive values in each cell of a grid; 0 everywhere without any."""
    positive = np.maximum(np.nan_to_num(values), 0)
    cells = np.bincount(grid_cells(values.shape, CELLS).ravel(), positive.ravel(), CELLS**2).reshape(CELLS, CELLS)
    return np.asarray(cells / (cells.sum() or 1.0))


def attractor(shares: DoubleArray, seed: int = 0, groups: Groups | None = None) -> Attractor | None:
    """The place that draws most weight beyond its mirror image; None with fewer than 6 maps.

    `shares`: (n, CELLS, CELLS), see `cell_shares`. `groups`: which pictures belong together, and are mirrored together;
    None: each is by itself. The statistic is Student's t of the
    difference between a cell, averaged with its neighbours, and its mirror image, the greatest of all cells; each map
    is mirrored or not at random, all 2^n ways where that are fewer than 9,999 draws. So p holds over all cells, for any
    distribution of pictures that is as often mirrored as not. Networks are not quite symmetric themselves, as strides
    and padding move maps by a part of a cell: so the place must also have twice the weight of its mirror image (the
    larger of both p-values counts).
    """
    count = len(shares)
    if count < FEWEST:
        return None
    smooth = uniform_filter(shares, (0, 3, 3), mode="constant")
    differences = (smooth - smooth[:, :, ::-1])[:, :, : CELLS // 2].reshape(count, -1)
    statistics = _statistics(differences, np.ones((1, count)))[0]
    observed = np.abs(statistics).max()
    members = np.arange(count) if groups is None else np.array(numbered(groups))
    patterns = _signs(int(members.max()) + 1, seed)
    signs = patterns[:, members]
    drawn = np.concatenate([_greatest(differences, some) for some in np.array_split(signs, max(len(signs) // 500, 1))])
    as_great = int((drawn >= observed - 1e-9).sum())
    everything = patterns.shape[0] == 2 ** patterns.shape[1]
    p_greatest = as_great / len(signs) if everything else (as_great + 1) / (len(signs) + 1)
    region = _region(shares, statistics.reshape(CELLS, -1))
    weights, mirrored = (shares[:, cells].sum(axis=1) for cells in (region, region[:, ::-1]))
    p_twice = mean_test(weights - TWICE * mirrored, groups=groups, seed=seed)
    typical = int(np.argmin(np.abs(weights - np.median(weights))))
    return Attractor(region, float(weights.mean()), float(mirrored.mean()), max(p_greatest, p_twice), typical)


def map_clusters(shares: DoubleArray) -> tuple[IntArray, IntArray]:
    """Clusters of (n, CELLS, CELLS) maps that look at the same place, (n,) from 0 the largest, and each one's medoid.

    Average linkage of 1 - correlation, cut at 0.5. The medoid is the map with the least mean distance to its cluster.
    Observed, not tested: maps that were put together because they are alike are alike.
    """
    flat = shares.reshape(len(shares), -1)
    if len(flat) < 2:
        return np.zeros(len(flat), np.int64), np.zeros(len(flat), np.int64)
    centred = flat - flat.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    distances = np.clip(1 - unit @ unit.T, 0, 2)
    np.fill_diagonal(distances, 0)
    found = fcluster(linkage(squareform(distances, checks=False), "average"), APART, "distance")
    names, first, counts = np.unique(found, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    clusters = np.argsort(order)[np.searchsorted(names, found)]
    medoids = [
        members[distances[np.ix_(members, members)].mean(axis=1).argmin()]
        for members in (np.flatnonzero(clusters == number) for number in range(len(names)))
    ]
    return clusters, np.array(medoids, np.int64)


def _greatest(differences: DoubleArray, signs: DoubleArray) -> DoubleArray:
    """(m,): the greatest |t| of all columns of (n, c) differences under each of (m, n) signs."""
    return np.asarray(np.abs(_statistics(differences, signs)).max(axis=1))


def _statistics(differences: DoubleArray, signs: DoubleArray) -> DoubleArray:
    """(m, c): Student's t of each column of (n, c) differences under each of (m, n) signs."""
    count = len(differences)
    means = signs @ differences / count
    squares = (differences**2).mean(axis=0)
    variances = np.maximum(squares - means**2, 1e-30) / (count - 1)
    return np.asarray(np.where(squares > 0, means / np.sqrt(variances), 0))


def _signs(count: int, seed: int) -> DoubleArray:
    if 2**count <= DRAWS:
        mirrored = np.arange(2**count)[:, np.newaxis] >> np.arange(count) & 1
        return np.asarray(1 - 2 * mirrored, np.float64)
    return np.random.default_rng([seed, count]).choice([-1.0, 1.0], (DRAWS, count))


def _region(shares: DoubleArray, left: DoubleArray) -> BoolArray:
    """The cells around the place of the greatest t that are at least half as far above their mirror images as its best.

    `left`: (CELLS, CELLS / 2), t of the left half; that of a mirror image is the same below 0. The place is found on
    averages of neighbours, and drawn on the cells themselves.
    """
    statistics = np.concatenate([left, -left[:, ::-1]], axis=1)
    row, column = np.unravel_index(int(statistics.argmax()), statistics.shape)
    above = (shares - shares[:, :, ::-1]).mean(axis=0)
    around = np.full(above.shape, -np.inf)
    near = slice(max(row - 1, 0), row + 2), slice(max(column - 1, 0), column + 2)
    around[near] = above[near]
    peak = np.unravel_index(int(around.argmax()), above.shape)
    parts, _ = connected(above >= REGION * max(above[peak], 1e-12))
    return np.asarray(parts == parts[peak])
