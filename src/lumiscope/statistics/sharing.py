"""Do two samples share as many kinds as one would expect of two handfuls from the same bag?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def sharing_test(
    first: Sequence[int], second: Sequence[int], *, draws: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Return how many kinds two samples would share by chance, and the p-value of sharing so few.

    `first`, `second`: (n,) counts of each kind. All that was counted is dealt out again, at random, as many to either
    as it had: a sample of the multivariate hypergeometric distribution. p = (b + 1) / (m + 1), b of m deals sharing as
    few kinds or fewer (Phipson and Smyth 2010). (NaN, NaN) where one of them has nothing.
    """
    counts = np.array([first, second], np.int64)
    sizes = counts.sum(axis=1)
    if not sizes.all():
        return math.nan, math.nan
    pool = counts.sum(axis=0)
    shared = np.count_nonzero(counts.all(axis=0))
    dealt = np.random.default_rng(seed).multivariate_hypergeometric(pool, sizes[0], draws)
    by_chance = ((dealt > 0) & (dealt < pool)).sum(axis=1)
    return float(by_chance.mean()), float((np.count_nonzero(by_chance <= shared) + 1) / (draws + 1))
