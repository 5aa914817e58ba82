"""Student's interval of a mean, corrected for skewness."""

from __future__ import annotations

import math

import numpy as np

from lumiscope.types import DoubleArray


def student_interval(
    values: DoubleArray, confidence: float, *, skewed: bool = True, bounded: bool = False
) -> tuple[float, float]:
    """Return the interval (low, high) of the mean of `values`, (n,) with n >= 3; (NaN, NaN) where all are equal.

    `skewed`: whether t is transformed first by g(t) = t + a t² + a² t³ / 3 + a / 2, a = γ / (3 √n) with the sample's
    skewness γ, which has no skewness left to the order of 1/√n and can be inverted.
    Sources: Student 1908; Hall 1992, On the Removal of Skewness by Transformation, section 2 (g₁), with Student's
    quantiles in place of the normal ones.
    Unless the quantity is `bounded` it may have a long tail of which few images hold nothing: γ is enlarged
    (`_skewness_of_a_tail`), but not past a = 3 / (8 t), from where the far end would come back, and the interval holds
    Student's, too, which is the right one of symmetric numbers.
    """
    from scipy.stats import t

    count, mean = len(values), values.mean()
    error = values.std(ddof=1) / math.sqrt(count)
    if error <= np.finfo(np.float64).eps * abs(mean):
        return math.nan, math.nan
    end = float(t.ppf((1 + confidence) / 2, count - 1))
    below, above = -end, end
    if skewed and bounded:
        slope = _skewness(values) / (3 * math.sqrt(count))
        below, above = _untransformed(-end, slope), _untransformed(end, slope)
    elif skewed:
        slope = _skewness_of_a_tail(values) / (3 * math.sqrt(count))
        slope = math.copysign(min(abs(slope), 3 / (8 * end)), slope)
        below, above = min(below, _untransformed(-end, slope)), max(above, _untransformed(end, slope))
    return float(mean - above * error), float(mean - below * error)


def student_p_value(values: DoubleArray) -> float:
    """One-sided, of the mean of `values`, (n,) with n >= 2, not being above 0; t is transformed as above.

    0 or 1 where all are equal.
    """
    from scipy.stats import t

    count, mean = len(values), values.mean()
    error = values.std(ddof=1) / math.sqrt(count)
    if error <= np.finfo(np.float64).eps * abs(mean) or error == 0:
        return float(mean <= 0)
    ratio, slope = mean / error, _skewness(values) / (3 * math.sqrt(count))
    transformed = ratio + slope * ratio**2 + slope**2 * ratio**3 / 3 + slope / 2
    return float(t.sf(transformed, count - 1))


def _skewness(values: DoubleArray) -> float:
    return float(np.mean((values - values.mean()) ** 3) / values.std(ddof=1) ** 3)


def _skewness_of_a_tail(values: DoubleArray) -> float:
    """That of the cumulants (Fisher's G₁), times 1 + 3 / n: of n > 2 exponential numbers G₁ is still far too small."""
    count = len(values)
    return _skewness(values) * count**2 / ((count - 1) * (count - 2)) * (1 + 3 / count)


def _untransformed(transformed: float, slope: float) -> float:
    """The t of which g(t) is `transformed`: (1 + a t)³ = 1 + 3 a (g - a / 2)."""
    if abs(slope) < 1e-9:
        return transformed
    return (math.cbrt(1 + 3 * slope * (transformed - slope / 2)) - 1) / slope
