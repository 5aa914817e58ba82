"""Are neighbours in the list of images alike, as frames of a film or pictures sorted by class are?"""

from __future__ import annotations

import math

import numpy as np

from lumiscope.columns import Columns
from lumiscope.dissection._selection import Selection, blocks
from lumiscope.dissection.evidence._partial_correlation import deviations, permutation_tail
from lumiscope.dissection.evidence._seeds import generator
from lumiscope.dissection.evidence.image_groups import ImageGroups
from lumiscope.types import BoolArray, DoubleArray, IntArray

QUIET_LAGS = 5  # so many autocorrelations in a row must be small
LAGS_A_BLOCK = 3
FEWEST_BLOCKS = 6  # with fewer, no order of them tells anything
FEWEST_IMAGES = 20
ORDERS = 30
MOST_UNITS = 256  # evenly over the layer, that tell whether its units drift
NOISE = 0.01  # how probable it is that some unit of a layer of noise looks as if neighbours were alike


def block_lengths(activations: Columns, groups: ImageGroups) -> IntArray:
    """(U,): how many neighbouring groups of images must keep together for each unit; 1: neighbours are not alike.

    They are alike where the products of neighbours are higher than any of U units of noise would have in 1 % of layers:
    by the permutation distribution of their sum, see `permutation_tail`, so that two neighbours on which a unit that is
    active on few images happens to be are no order.
    `activations`: (D, U), in the order of the list. With m the lag after which 5 autocorrelations in a row are below
    2 √(log10 G / G), G the number of groups, as in Politis and White 2004, Automatic Block-Length Selection for the
    Dependent Bootstrap, section 3.2, a block is 3 m long. G, the whole list, where that leaves fewer than 6 blocks. 1
    with fewer than 20 groups.
    """
    count, num_units = len(groups), activations.shape[1]
    lengths = np.ones(num_units, np.int64)
    if count < FEWEST_IMAGES:
        return lengths
    threshold = 2 * math.sqrt(math.log10(count) / count)
    for where in blocks(activations, 4):
        columns = Selection(activations, groups.first)[:, where]
        centred = deviations(columns)
        correlations = autocorrelations(centred, count // 2)
        alike = np.array(
            [unit for unit in np.flatnonzero(correlations[0] > threshold / 2) if _ordered(centred[:, unit], num_units)],
            np.int64,
        )
        lengths[where.start + alike] = [_block(column, count) for column in (correlations[:, alike] < threshold).T]
    return lengths


def drift_within(activations: Columns, groups: ImageGroups, classes: IntArray, seed: int) -> bool:
    """Whether units change along the list within the classes, too: its order tells more than the classes do.

    `activations`: (D, U). `classes`: (D,). Of activations less their class's mean, the products of neighbours are added
    over all units, and so are the squares of each unit's covariance with the place in the list. Either is compared with
    30 orders drawn at random within the classes: more than 3 of their standard deviations above their mean. True where
    no class has two groups of images: then classes explain nothing.
    """
    of = np.unique(classes[groups.first], return_inverse=True)[1]
    if of.max(initial=0) + 1 >= len(of):
        return True
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
    drawn = sums[1:]
    return bool((sums[0] > drawn.mean(axis=0) + 3 * drawn.std(axis=0)).any())


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
