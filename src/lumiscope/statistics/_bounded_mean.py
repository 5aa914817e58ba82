"""The interval of the mean of a bounded quantity, by weights drawn at random."""

from __future__ import annotations

import numpy as np

from lumiscope.statistics.groups import Grouped
from lumiscope.types import DoubleArray

UNSEEN = 0.5  # of an observation, at the bound
DRAWS = 20_000
AT_ONCE = 2**20  # weights that are drawn at a time


def weighted_interval(
    observations: Grouped, bounds: tuple[float, float], confidence: float, seed: int
) -> tuple[float, float]:
    """Return the interval (low, high), within `bounds`, of the mean that `observations` are drawn from.

    Each group gets the weight 1 and half an observation that nobody saw lies at the bound: at the lower one for the
    lower end, at the upper one for the upper end. The ends are quantiles of the weighted mean, the weights being
    Dirichlet. With a whole unseen observation it is the bound of Gaffke 2005, for which no coverage below the nominal
    one is known and which is Clopper and Pearson's interval where values are 0 or 1 (Learned-Miller and Thomas 2020, A
    New Confidence Interval for the Mean of a Bounded Random Variable); as with theirs, half an observation (as in
    Jeffreys' prior) covers what was asked for instead of more.
    """
    low, high = _weighted_means(observations, bounds, seed)
    tail = (1 - confidence) / 2
    lowest, highest = np.quantile(low, tail), np.quantile(high, 1 - tail)
    return float(max(lowest, bounds[0])), float(min(highest, bounds[1]))


def weighted_p_value(observations: Grouped, bounds: tuple[float, float], margin: float, seed: int) -> float:
    """That the mean lies outside ± `margin`: the level at which an end of the interval above comes to lie there."""
    low, high = _weighted_means(observations, bounds, seed)
    outside = max(int((high >= margin).sum()), int((low <= -margin).sum()))
    return (outside + 1) / (DRAWS + 1)


def _weighted_means(observations: Grouped, bounds: tuple[float, float], seed: int) -> tuple[DoubleArray, DoubleArray]:
    """(DRAWS,) means with the unseen at the lower bound, and at the upper one."""
    generator = np.random.default_rng(seed)
    size = observations.sizes.mean()
    low, high = np.empty(DRAWS), np.empty(DRAWS)
    rows = max(1, AT_ONCE // len(observations))
    for start in range(0, DRAWS, rows):
        block = slice(start, min(start + rows, DRAWS))
        weights = generator.standard_exponential((block.stop - start, len(observations)))
        unseen = generator.standard_gamma(UNSEEN, block.stop - start) * size
        sums, sizes = weights @ observations.sums, weights @ observations.sizes + unseen
        low[block] = (sums + unseen * bounds[0]) / sizes
        high[block] = (sums + unseen * bounds[1]) / sizes
    return low, high
