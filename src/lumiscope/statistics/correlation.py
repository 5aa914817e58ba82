"""Do two quantities of the same images rise together? Spearman's rank correlation with its test and interval."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.statistics._kept_draws import Draws
from lumiscope.statistics.exchange import Exchange
from lumiscope.statistics.groups import Groups, clusters, group_numbers
from lumiscope.types import DoubleArray

EXACT_UP_TO = 7  # 5,040 orders
ROUNDING = 1e-12  # sums of the same numbers in another order are the same number


@dataclass(frozen=True)
class RankCorrelation:
    """`value`: in [-1, 1]. `low`, `high`: its 95 % interval. `p_value`: two-sided. NaN where undefined."""

    value: float
    low: float
    high: float
    p_value: float


def rank_correlation(
    a: DoubleArray | Sequence[float],
    b: DoubleArray | Sequence[float],
    *,
    permutations: int = 10_000,
    groups: Groups | None = None,
    seed: int = 0,
) -> RankCorrelation:
    """Spearman's rank correlation of `a` and `b`, (n,) each; ties have their mean rank.

    The p-value is that of as strong a correlation, either way, if each b could as well belong to any a: all n! orders
    up to n = 7, else p = (c + 1) / (m + 1) of m drawn ones. The interval is Fisher's z with the standard error
    √((1 + r²/2) / (n - 3)) of Bonett and Wright 2000, Sample size requirements for correlations, eq. 9, of an r no
    nearer to ±1 than half of what turning two neighbours costs: that few images lie in one order does not make it
    certain. (-1, 1) with 3 images or fewer. `groups`: one label per image where images come in clusters, such as
    classes; then whole groups of equal size change places, and images within their group, and such orders are always
    drawn (a group of a size that no other has keeps its place), and n of the interval is the number of groups. All is
    NaN with fewer than 2 images, or where a or b is constant.
    Errors: `UsageError` for lengths that differ, for numbers that are not finite, and unless `groups` has one label per
    image.
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.shape != second.shape or first.ndim != 1 or not np.isfinite([first, second]).all():
        raise UsageError(f"expected two rows of as many finite numbers; got {first.shape} and {second.shape}")
    groups = clusters(groups, len(first))
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return RankCorrelation(math.nan, math.nan, math.nan, math.nan)
    ranks_a, ranks_b = _standard_ranks(first), _standard_ranks(second)
    value = min(1.0, max(-1.0, float(ranks_a @ ranks_b)))
    count = len(first) if groups is None else int(group_numbers(groups, len(first)).max()) + 1
    return RankCorrelation(value, *_interval(value, count), _p_value(ranks_a, ranks_b, permutations, groups, seed))


def _standard_ranks(values: DoubleArray) -> DoubleArray:
    """Ranks of mean 0 and length 1."""
    from scipy.stats import rankdata

    ranks = rankdata(values) - (len(values) + 1) / 2
    return np.asarray(ranks / math.sqrt(ranks @ ranks))


def _p_value(a: DoubleArray, b: DoubleArray, permutations: int, groups: Groups | None, seed: int) -> float:
    least = abs(float(a @ b)) - ROUNDING
    if groups is None and len(a) <= EXACT_UP_TO:
        orders = np.array(list(itertools.permutations(range(len(b)))))
        return float(np.mean(np.abs(b[orders] @ a) >= least))
    draws = Draws(Exchange.of(len(a), groups), seed)
    extreme = draws.count(permutations, lambda block: np.abs(a @ b[block]) >= least)
    return (extreme + 1) / (permutations + 1)


def _interval(value: float, images: int) -> tuple[float, float]:
    from scipy.stats import norm

    if images <= 3:
        return -1.0, 1.0
    largest = 1 - 6 / (images**3 - images)  # turning two neighbours costs twice that from 1
    inner = min(largest, max(-largest, value))
    reach = float(norm.ppf(0.975)) * math.sqrt((1 + inner**2 / 2) / (images - 3))
    low, high = math.tanh(math.atanh(inner) - reach), math.tanh(math.atanh(inner) + reach)
    return min(low, value), max(high, value)
