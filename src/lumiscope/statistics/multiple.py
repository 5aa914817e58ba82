"""Several tests at once: p-values that stay honest when many are looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lumiscope.types import DoubleArray


def holm(p_values: DoubleArray | Sequence[float]) -> DoubleArray:
    """Adjust `p_values` so that rejecting those below α makes any false rejection at most α likely.

    `p_values`: (n,) in [0, 1], or NaN for a test that could not be made: it stays NaN and does not count as a test.
    Returns (n,) float64, each at least its p-value and at most 1, in the order given. Holds for dependent tests too.
    Source: Holm 1979, A Simple Sequentially Rejective Multiple Test Procedure.
    """
    adjusted: DoubleArray = np.array(p_values, np.float64)
    tested = np.flatnonzero(~np.isnan(adjusted))
    order = tested[np.argsort(adjusted[tested], kind="stable")]
    steps = adjusted[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def benjamini_hochberg(p_values: DoubleArray | Sequence[float]) -> DoubleArray:
    """Adjust `p_values` so that among those below α the expected share of false discoveries is at most α.

    `p_values`: (n,) in [0, 1], or NaN for a test that could not be made: it stays NaN and does not count as a test.
    Returns (n,) float64, the q-values: each at least its p-value and at most 1, in the order given. Holds for
    independent and for positively dependent tests.
    Source: Benjamini and Hochberg 1995, Controlling the False Discovery Rate.
    """
    adjusted: DoubleArray = np.array(p_values, np.float64)
    tested = np.flatnonzero(~np.isnan(adjusted))
    order = tested[np.argsort(adjusted[tested], kind="stable")]
    steps = adjusted[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1)
    return adjusted
