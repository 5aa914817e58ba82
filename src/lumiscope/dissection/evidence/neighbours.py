"""Are neighbours in the list of images alike, as frames of a film or pictures sorted by class are?"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import chi2, norm

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection, blocks
from lumiscope.dissection.evidence._partial_correlation import deviations, permutation_tail
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence.image_groups import ImageGroups, KnownImages
from lumiscope.types import BoolArray, DoubleArray, IntArray

QUIET_LAGS = 5  # so many autocorrelations in a row must be small
LAGS_A_BLOCK = 3
FEWEST_BLOCKS = 6  # with fewer, no order of them tells anything
FEWEST_IMAGES = 20
ORDERS = 30
MOST_UNITS = 256  # evenly over the layer, that tell whether its units drift
DRIFTING = 4  # standard deviations of random orders above their mean
MATERIAL = 0.1  # by so much the variance of a chance correlation may be higher
NOISE = 0.01  # how probable it is that some unit of a layer of noise looks as if neighbours were alike


def neighbour_blocks(activations: Columns, groups: ImageGroups, images: KnownImages, seed: int) -> IntArray:
    """(U,): how many neighbouring groups of images must keep together for each unit; 1: each may change places.

    That is so where somebody said which images belong together, and where the order says no more than known classes do.
    """
    classes = np.zeros(len(groups.of), np.int64) if images.classes is None else ImageGroups.by(images.classes).of
    drifts = images.groups is None and drift_within(activations, groups, classes, seed)
    if images.groups is not None or (images.classes is not None and not drifts):
        return np.ones(activations.shape[1], np.int64)
    return block_lengths(activations, groups, drifts=drifts)


def untold(lengths: IntArray, groups: ImageGroups) -> BoolArray:
    """(U,): whether so few blocks of these lengths, (U,), are in `groups` that their order can show nothing."""
    return (lengths > 1) & (lengths * FEWEST_BLOCKS > len(groups))


def block_lengths(activations: Columns, groups: ImageGroups, *, drifts: bool) -> IntArray:
    """(U,): how many neighbouring groups of images must keep together for each unit; 1: neighbours are not alike.

    `activations`: (D, U), in the order of the list. `drifts`: whether units change along it, see `drift_within`.
    Where they do, no unit's length is below the layer's, see `_layer_block`: a unit that looks as noise
    does beside others that drift has a drift that is too weak to be seen in it alone.
    A unit's own neighbours are alike where their products are higher than any of U units of noise would have in 1 % of
    layers: by the permutation distribution of their sum, see `permutation_tail`, so that two neighbours on which a unit
    that is active on few images happens to be are no order. With m the lag after which 5 autocorrelations in a row are
    within 2 √(log10 G / G) of 0, G the number of groups, as in Politis and White 2004, Automatic Block-Length Selection
    for the Dependent Bootstrap, section 3.2, a block is 3 m long. G, the whole list, where that leaves fewer than 6
    blocks. 1 with fewer than 20 groups.
    """
    count, num_units = len(groups), activations.shape[1]
    lengths = np.ones(num_units, np.int64)
    if count < FEWEST_IMAGES:
        return np.maximum(lengths, count) if drifts else lengths
    threshold = 2 * math.sqrt(math.log10(count) / count)
    places = deviations(np.arange(float(count))[:, np.newaxis])[:, 0]
    squares, signed, trend = np.zeros(count // 2), np.zeros(count // 2), 0.0
    for where in blocks(activations, 4):
        centred = deviations(Selection(activations, groups.first)[:, where])
        correlations = autocorrelations(centred, count // 2)
        squares += (correlations**2).sum(axis=1) / num_units
        signed += correlations.sum(axis=1) / num_units
        trend += float(((places @ centred) ** 2).sum()) / num_units
        alike = np.array(
            [unit for unit in np.flatnonzero(correlations[0] > threshold / 2) if _ordered(centred[:, unit], num_units)],
            np.int64,
        )
        lengths[where.start + alike] = [
            _block(column, count) for column in (np.abs(correlations[:, alike]) < threshold).T
        ]
    return np.maximum(lengths, _layer_block(squares, signed, trend, count)) if drifts else lengths


def _layer_block(squares: DoubleArray, signed: DoubleArray, trend: float, count: int) -> int:
    """The length of a layer's blocks, by means over its units.

    `squares`, `signed`: (L,) the squared autocorrelations at lags 1 to L, and themselves; `trend`: the squared
    correlation with the place in the list; `count`: the G groups of it. Of units whose autocorrelations end
    before a lag, those at it have the variance (1 + 2 Σ squares before it) / G (Bartlett 1946): squares of at most
    twice that are small. The whole list, where the trend is more than twice what drift within blocks makes of it,
    (1 + 2 Σ signed) / G, and so high that two columns which have it correlate by chance with a variance that is a tenth
    higher, 1.1 / G.
    """
    before = np.cumsum(squares) - squares
    length = _block(squares <= 2 * (1 + 2 * before) / count, count)
    within = max(1.0, 1 + 2 * float(signed[: length - 1].sum()))
    return count if trend > max(2 * within / count, math.sqrt(MATERIAL / count)) else length


def drift_within(activations: Columns, groups: ImageGroups, classes: IntArray, seed: int) -> bool:
    """Whether units change along the list within the classes, too: its order tells more than the classes do.

    `activations`: (D, U). `classes`: (D,). Of activations less their class's mean, the products of neighbours are added
    over all units, and so are the squares of each unit's covariance with the place in the list. Either is compared with
    30 orders drawn at random within the classes: more than 4 of their standard deviations above their mean; the sum of
    squares, which few or like units make lopsided, as improbable as that by the χ² distribution of their mean and
    variance (Satterthwaite 1946). Where no class has two groups of images, classes explain nothing and are taken for
    one.
    """
    of = np.unique(classes[groups.first], return_inverse=True)[1]
    if of.max(initial=0) + 1 >= len(of):
        of = np.zeros(len(of), np.int64)
    random = generator(seed, "neighbours")
    by_class = np.argsort(of, kind="stable")
    orders = [np.arange(len(of))]
    for _ in range(ORDERS):
        order = np.empty(len(of), np.int64)
        order[by_class] = by_class[np.lexsort((random.random(len(of)), of[by_class]))]
        orders.append(order)
    places = np.arange(len(of)) - _class_means(np.arange(float(len(of)))[:, np.newaxis], of)[:, 0]
    sums = np.zeros((len(orders), 2))
    units = np.unique(np.linspace(0, activations.shape[1] - 1, MOST_UNITS).astype(int))
    looked_at = Selection(activations, groups.first, units)
    for where in blocks(looked_at, 4):
        columns = looked_at[:, where].astype(np.float64)
        residuals = deviations(columns - _class_means(columns, of))
        for number, order in enumerate(orders):
            ordered = residuals[order]
            sums[number] += (ordered[1:] * ordered[:-1]).sum(), ((places @ ordered) ** 2).sum()
    (products, squares), drawn = sums[0], sums[1:]
    mean, deviation = drawn.mean(axis=0), drawn.std(axis=0)
    if not deviation.all():
        return False
    freedom = 2 * (mean[1] / deviation[1]) ** 2
    unlikely = mean[1] * chi2.isf(norm.sf(DRIFTING), freedom) / freedom
    return bool(products > mean[0] + DRIFTING * deviation[0] or squares > unlikely)


def _class_means(columns: DoubleArray, of: IntArray) -> DoubleArray:
    """(G, n): for each entry of `columns` the mean of its class. `of`: (G,) the class, from 0."""
    return np.asarray(np.stack([columns[of == number].mean(axis=0) for number in range(of.max() + 1)])[of])


def autocorrelations(columns: DoubleArray, most: int) -> DoubleArray:
    """(most, n): the autocorrelation of each column, (D, n), at lags 1 to `most` < D. Columns: see `deviations`."""
    count = len(columns)
    spectrum = np.fft.rfft(columns, 2 * count, axis=0)
    return np.asarray(np.fft.irfft(np.abs(spectrum) ** 2, 2 * count, axis=0)[1 : most + 1])


def _ordered(column: DoubleArray, num_units: int) -> bool:
    """Whether neighbours in a column, (G,), are more alike than any of so many columns of noise."""
    return permutation_tail(column, np.roll(column, 1)) <= NOISE / num_units


def _block(small: BoolArray, count: int) -> int:
    """The length of a block. `small`: (L,) whether the autocorrelation at each lag is."""
    quiet = np.convolve(small, np.ones(QUIET_LAGS), "valid") == QUIET_LAGS
    last = int(quiet.argmax()) if quiet.any() else len(small)
    length = LAGS_A_BLOCK * last
    return count if length * FEWEST_BLOCKS > count else max(length, 1)
