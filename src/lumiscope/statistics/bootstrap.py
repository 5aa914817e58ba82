"""How far a mean over images may be off: the percentile bootstrap."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.types import DoubleArray

# 8 MiB of indices at a time, however many images there are.
BLOCK_SIZE = 2**20


def bootstrap_interval(
    values: DoubleArray | Sequence[float], *, confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Return the percentile interval (low, high) of the mean of `values`.

    `values`: (n,), one number per image. `confidence`: in (0, 1). `resamples`: how many samples of n are drawn with
    replacement. The same values, seed and resamples give the same interval. With few images it is too narrow: for
    n = 10 normal values a 95 % interval holds the mean about 90 % of the time.
    Returns (NaN, NaN) for fewer than two values, or if one of them is not finite.
    Raises UsageError for a confidence or a number of resamples out of range.
    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 13.3. This is
    `scipy.stats.bootstrap(method="percentile")`, without its seed keyword, whose name depends on scipy's version.
    """
    if not 0 < confidence < 1 or resamples < 1:
        raise UsageError(
            "a bootstrap needs a confidence between 0 and 1, such as 0.95, and at least 1 resample; "
            f"got confidence {confidence} and {resamples} resamples"
        )
    sample = np.asarray(values, np.float64)
    if sample.size < 2 or not np.isfinite(sample).all():
        return math.nan, math.nan
    generator = np.random.default_rng(seed)
    means = np.empty(resamples)
    rows = max(1, BLOCK_SIZE // sample.size)
    for start in range(0, resamples, rows):
        block = means[start : start + rows]
        block[:] = sample[generator.integers(0, sample.size, (len(block), sample.size))].mean(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)
