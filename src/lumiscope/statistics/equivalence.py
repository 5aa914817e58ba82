"""Are two methods as good as each other, give or take a stated margin?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.statistics._bounded_mean import UNSEEN, weighted_p_value
from lumiscope.statistics.groups import Groups, grouped
from lumiscope.statistics.means import FEWEST, mean_interval, spread_misleads
from lumiscope.types import DoubleArray

FEWEST_FOR_SPREAD = 15  # images: with fewer, the spread of like methods promises too much


@dataclass(frozen=True)
class Equivalence:
    """`low`, `high`: the interval of the mean difference; `p_value`: that the mean lies outside ± `margin`.

    The p-value is at most the significance exactly where the interval lies within ± `margin`.
    """

    low: float
    high: float
    margin: float
    p_value: float

    @property
    def is_shown(self) -> bool:
        """Whether the interval lies within the margin; False where there is none."""
        return -self.margin <= self.low and self.high <= self.margin


def equivalence_test(
    differences: DoubleArray | Sequence[float],
    margin: float,
    *,
    significance: float = 0.05,
    bounds: tuple[float, float] | None = None,
    groups: Groups | None = None,
) -> Equivalence:
    """Test whether the mean of `differences`, (n,), one per image, lies within ± `margin`: two one-sided tests.

    A difference that is not significant is no evidence for this. The interval is the `mean_interval` of confidence
    1 - 2 `significance`, without correction for skewness, which differences of like methods do not have. All is NaN
    with fewer than 3 images (or groups), or if one is not finite. `bounds`: between which a difference lies, such as
    (-1, 1) for IoU. Then fewer than 15 differences, or many that are equal, are weighted (see
    `mean_interval`), and p is the level at which that interval reaches the margin: n equal methods could differ on
    images that nobody saw. Without bounds all is NaN where all are equal.
    Raises UsageError for a margin that is not above 0, and a significance outside (0, 0.5).
    Source: Schuirmann 1987, A Comparison of the Two One-Sided Tests Procedure and the Power Approach.
    """
    from scipy.stats import t

    if not 0 < margin < math.inf or not 0 < significance < 0.5:
        raise UsageError(
            "equivalence needs a margin above 0 and a significance between 0 and 0.5; "
            f"got the margin {margin} and the significance {significance}"
        )
    sample = np.asarray(differences, np.float64)
    low, high = mean_interval(sample, bounds=bounds, confidence=1 - 2 * significance, skewed=False, groups=groups)
    observations = grouped(sample, groups)
    if math.isnan(low) or len(observations) < FEWEST:
        return Equivalence(math.nan, math.nan, margin, math.nan)
    if bounds is not None and (len(observations) < FEWEST_FOR_SPREAD or spread_misleads(observations, bounds)):
        return Equivalence(low, high, margin, weighted_p_value(observations, bounds, margin, seed=0))
    values = observations.linearised()
    error = values.std(ddof=1) / math.sqrt(len(values))
    p_value = float(t.sf((margin - abs(values.mean())) / error, len(values) - 1))
    return Equivalence(low, high, margin, p_value)


def least_equivalence_p_value(images: int, margin: float, bounds: tuple[float, float]) -> float:
    """No p-value of `equivalence_test` of bounded differences is below this: that of as many that are all 0.

    The share of what nobody saw, which may lie at the further bound, follows Beta(1/2, n). From 15 images on 0.
    """
    from scipy.stats import beta

    if images < FEWEST:
        return 1.0
    return 0.0 if images >= FEWEST_FOR_SPREAD else float(beta.sf(margin / max(map(abs, bounds)), UNSEEN, images))
