"""Shares of units or images: how far they may be off, and whether two of them differ."""

from __future__ import annotations

import math

from lumiscope.errors import UsageError

Estimate = tuple[float, tuple[float, float]]
"""A number with its interval."""


def wilson_interval(count: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the score interval (low, high), in [0, 1], of the share `count` / `total`; (NaN, NaN) for a total of 0.

    Unlike the textbook's it holds for shares near 0 and 1, and never leaves [0, 1].
    Raises UsageError for a count outside 0 to `total`. Source: Wilson 1927.
    """
    from scipy.stats import binomtest

    _check(count, total)
    if total == 0:
        return math.nan, math.nan
    interval = binomtest(count, total).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def difference_interval(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float]:
    """Return the 95 % interval of the second share minus the first; each given as (count, total).

    (NaN, NaN) where a total is 0. Source: Newcombe 1998, Interval estimation for the difference between independent
    proportions, method 10: the Wilson intervals of the two shares combined.
    """
    if first[1] == 0 or second[1] == 0:
        return math.nan, math.nan
    start, end = first[0] / first[1], second[0] / second[1]
    return combined_intervals((start, wilson_interval(*first)), (end, wilson_interval(*second)))


def combined_intervals(first: Estimate, second: Estimate) -> tuple[float, float]:
    """The interval of the second number minus the first, of two independent ones; Newcombe 1998, eq. 10."""
    (start, (low_first, high_first)), (end, (low_second, high_second)) = first, second
    low = end - start - math.hypot(end - low_second, high_first - start)
    high = end - start + math.hypot(high_second - end, start - low_first)
    return low, high


def share_test(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Return the p-value of Fisher's exact test that two shares, each given as (count, total), are the same.

    NaN where a total is 0. Two-sided. Source: Fisher 1935.
    """
    from scipy.stats import fisher_exact

    for count, total in (first, second):
        _check(count, total)
    if first[1] == 0 or second[1] == 0:
        return math.nan
    return float(fisher_exact([[count, total - count] for count, total in (first, second)])[1])


def _check(count: int, total: int) -> None:
    if not 0 <= count <= total:
        raise UsageError(f"a share needs a count between 0 and its total; got {count} of {total}")
