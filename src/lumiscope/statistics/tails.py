"""P-values smaller than a number of random draws can show: a generalised Pareto tail fitted to the highest draws."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.types import DoubleArray

ENOUGH = 10  # draws at or above a value, from which on counting them is exact enough
LARGEST_SHARE = 0.25  # of the draws that a tail is fitted to at first
FEWEST = 30  # exceedances that a tail is fitted to
STEP = 10  # fewer exceedances at the next attempt
SIGNIFICANCE = 0.05  # of the test that refuses a fitted tail


@dataclass(frozen=True)
class ParetoTail:
    """The highest `share` of draws: above `threshold` the excess follows a generalised Pareto distribution.

    `shape` >= 0 (0: exponential) and `scale` > 0: P(excess > y) = (1 + shape · y / scale)^(-1/shape).
    """

    threshold: float
    share: float
    shape: float
    scale: float

    def survival(self, excess: DoubleArray) -> DoubleArray:
        """P(excess > y) for each y >= 0 of `excess`, given that the threshold is exceeded."""
        if self.shape == 0:
            return np.asarray(np.exp(-excess / self.scale))
        return np.asarray((1 + self.shape * excess / self.scale) ** (-1 / self.shape))


def fit_pareto_tail(draws: DoubleArray) -> ParetoTail | None:
    """Fit the highest quarter of `draws`, (n,), or fewer of them; None where no tail of 30 draws or more fits.

    Probability-weighted moments (Hosking and Wallis 1987) give shape and scale. The shape is bounded below by 0, so
    that the tail has no end and no p-value is 0; where the data ask for an end, the exponential with their mean is
    taken, which promises too little, never too much. A fit is refused where the draws exceed it: where the share of
    draws above some point is larger than fitted by more than the one-sided Kolmogorov statistic allows at 0.05. Then
    10 exceedances fewer are tried, as in Knijnenburg et al. 2009, Fewer Permutations, More Accurate P-values.
    """
    falling = np.sort(draws)[::-1]
    for count in range(int(LARGEST_SHARE * len(falling)), FEWEST - 1, -STEP):
        if not (np.isfinite(falling[[0, count]]).all() and falling[0] > falling[count - 1]):
            continue
        threshold = (falling[count - 1] + falling[count]) / 2
        excess = falling[:count] - threshold
        tail = ParetoTail(float(threshold), count / len(falling), *_moments(excess))
        # The i-th highest excess (0-based) has i + 1 of count at or above it.
        beyond = np.arange(1, count + 1) / count - tail.survival(excess)
        if beyond.max() <= math.sqrt(-math.log(SIGNIFICANCE) / (2 * count)):
            return tail
    return None


def null_p_values(values: DoubleArray, draws: DoubleArray) -> DoubleArray:
    """The share of the null distribution that is at least as high as each of `values`.

    `values`: (m,); NaN stays NaN. `draws`: (n,) random draws from the null distribution, n >= 1; -inf may occur.
    Returns (m,) float64 in (0, 1]. Where 10 or more draws are as high: `counted_p_values`. Further out: the fitted tail
    of `fit_pareto_tail`; the count again where none fits.
    Raises UsageError without draws or with NaN among them.
    """
    if draws.size == 0 or np.isnan(draws).any():
        raise UsageError(f"a null distribution needs at least one draw, and no NaN; got {draws.size} draws")
    p_values, enough = counted_p_values(values, draws), (1 + ENOUGH) / (1 + len(draws))
    far = p_values < enough
    tail = fit_pareto_tail(draws) if far.any() else None
    if tail is not None:
        fitted = tail.share * tail.survival(np.maximum(values[far] - tail.threshold, 0))
        p_values[far] = np.clip(fitted, np.finfo(np.float64).tiny, enough)
    return p_values


def counted_p_values(values: DoubleArray, draws: DoubleArray) -> DoubleArray:
    """(m,): (1 + how many of n `draws` are at least as high) / (1 + n) for each of `values`; NaN stays NaN.

    Source: Phipson and Smyth 2010, Permutation P-values Should Never Be Zero.
    """
    higher = len(draws) - np.searchsorted(np.sort(draws), values, side="left")
    return np.where(np.isnan(values), np.nan, (1 + higher) / (1 + len(draws)))


def _moments(excess: DoubleArray) -> tuple[float, float]:
    """Shape and scale by probability-weighted moments. `excess`: (n,) >= 0, in falling order, not all 0."""
    mean = float(excess.mean())
    weighted = float((excess * np.arange(len(excess))).mean()) / (len(excess) - 1)
    shape = 2 - mean / (mean - 2 * weighted)
    if shape <= 0:
        return 0.0, mean
    return shape, 2 * mean * weighted / (mean - 2 * weighted)
