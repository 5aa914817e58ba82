"""Are two methods as good as each other, give or take a stated margin?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.statistics.groups import Groups, grouped
from lumiscope.statistics.means import mean_interval
from lumiscope.types import DoubleArray

FEWEST = 3  # images


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
    (-1, 1) for IoU: where all differences are equal, to d, there is no spread, but a mean of m needs a share of at
    least (m - d) / (1 - d) of images that differ from d, and that n have shown none has the probability
    ((1 - m) / (1 - d))^n: p is that of m = `margin`, or of the other end, and the interval those m that are not
    refuted. Without bounds all is NaN there.
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
    if bounds is not None and sample.size and np.isfinite(sample).all() and np.ptp(sample) == 0:
        return _of_equal(float(sample[0]), len(grouped(sample, groups)), margin, significance, bounds)
    low, high = mean_interval(sample, confidence=1 - 2 * significance, skewed=False, groups=groups)
    if math.isnan(low):
        return Equivalence(low, high, margin, math.nan)
    values = grouped(sample, groups).linearised()
    error = values.std(ddof=1) / math.sqrt(len(values))
    p_value = float(t.sf((margin - abs(values.mean())) / error, len(values) - 1))
    return Equivalence(low, high, margin, p_value)


def _of_equal(value: float, count: int, margin: float, significance: float, bounds: tuple[float, float]) -> Equivalence:
    """All of `count` differences are `value`: those that would move the mean, furthest at a bound, must be rare."""
    if count < FEWEST or not bounds[0] < value < bounds[1]:
        return Equivalence(math.nan, math.nan, margin, math.nan)
    p_value = 1.0
    if abs(value) < margin:
        p_value = max(
            min(1.0, (end - limit) / (end - value)) ** count
            for end, limit in zip(bounds, (-margin, margin), strict=True)
            if (end - limit) / (end - value) > 0
        )
    low, high = (end - (end - value) * significance ** (1 / count) for end in bounds)
    return Equivalence(low, high, margin, p_value)
