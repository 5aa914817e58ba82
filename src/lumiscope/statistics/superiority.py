"""How often is one method better than another on the same image?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.statistics.groups import Groups
from lumiscope.statistics.means import mean_interval
from lumiscope.types import DoubleArray


@dataclass(frozen=True)
class Superiority:
    """`probability`: that the first is higher on an image, a tie counting half; `low`, `high`: its interval."""

    probability: float
    low: float
    high: float


def superiority(
    first: DoubleArray | Sequence[float],
    second: DoubleArray | Sequence[float],
    *,
    confidence: float = 0.95,
    groups: Groups | None = None,
    seed: int = 0,
) -> Superiority:
    """Return how likely it is that `first` is higher than `second`, both (n,), on an image like these.

    The interval is a `mean_interval` within [0, 1]. All is NaN without images, or if a number is not finite.
    Raises UsageError unless both are of the same images.
    Source: Grissom and Kim 2012, Effect Sizes for Research, chapter 6, for paired data (the probability of
    superiority); Agarwal et al. 2021, Deep RL at the Edge of the Statistical Precipice (probability of improvement).
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape:
        raise UsageError(f"paired values are of the same images; got {len(a)} and {len(b)} of them")
    is_known = np.isfinite(a).all() and np.isfinite(b).all()
    wins = (np.sign(a - b) + 1) / 2 if is_known else np.full(a.shape, np.nan)
    low, high = mean_interval(wins, bounds=(0, 1), confidence=confidence, groups=groups, seed=seed)
    return Superiority(float(wins.mean()) if wins.size else np.nan, low, high)
