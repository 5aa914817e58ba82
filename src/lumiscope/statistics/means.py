"""How far a mean over images may be off."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lumiscope.errors import UsageError
from lumiscope.statistics._bounded_mean import weighted_interval
from lumiscope.statistics._skewed_student import student_interval
from lumiscope.statistics.groups import Grouped, Groups, grouped
from lumiscope.types import DoubleArray

FEWEST = 3  # observations that say something about a mean
FEWEST_FOR_SPREAD = 5  # observations whose spread stands for what a bounded quantity may do
ROUNDING = 1e-9  # of a bounded quantity that is computed


def mean_interval(
    values: DoubleArray | Sequence[float],
    *,
    bounds: tuple[float, float] | None = None,
    confidence: float = 0.95,
    skewed: bool = True,
    groups: Groups | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval (low, high) of the mean of `values`, (n,), one number per image.

    `bounds`: between which the quantity lies, such as (0, 1) for an IoU; the interval keeps to them. `groups`: one
    label per image where images come in clusters; then groups are counted, not images. `skewed`: whether the quantity
    may be skewed; differences of two alike are not. Student's interval, corrected for skewness (Hall 1992), which needs
    no resampling; without bounds it reaches further where there may be a long tail. Where the quantity is bounded and
    has at least half of the values on a bound or on one number, or there are fewer than 5, the weighted interval
    (Gaffke 2005), which needs no spread (`seed`: its weights).
    benchmarks/statistics.py shows how often either holds the truth, beside what else is in use.
    Where nothing can be said the interval is `bounds`, or (NaN, NaN) without: with fewer than 3 values or groups, and,
    without bounds, where all are equal. (NaN, NaN) without values, or if one of them is not finite.
    Raises UsageError for a confidence or bounds out of range, for values outside the bounds, and unless `groups` has
    one label per image.
    """
    sample = np.asarray(values, np.float64)
    _check(sample, bounds, confidence)
    observations = grouped(sample, groups)
    if sample.size == 0 or not np.isfinite(sample).all():
        return math.nan, math.nan
    if len(observations) < FEWEST:
        return (math.nan, math.nan) if bounds is None else (float(bounds[0]), float(bounds[1]))
    if bounds is not None and spread_misleads(observations, bounds):
        return weighted_interval(observations, bounds, confidence, seed)
    low, high = student_interval(observations.linearised(), confidence, skewed=skewed, bounded=bounds is not None)
    if bounds is not None:
        low, high = max(low, float(bounds[0])), min(high, float(bounds[1]))
    return low, high


def simultaneous_intervals(
    values: DoubleArray,
    *,
    bounds: tuple[float, float] | None = None,
    confidence: float = 0.95,
    skewed: bool = True,
    groups: Groups | None = None,
    seed: int = 0,
) -> DoubleArray:
    """Return (m, 2) intervals of the means of the columns of `values`, (n, m), that hold all together.

    Each is the `mean_interval` of 1 - (1 - confidence) / m (Bonferroni), whatever the columns have to do with each
    other. So an interval that was chosen afterwards, such as that of the highest mean, holds as well.
    """
    columns = np.asarray(values, np.float64)
    each = 1 - (1 - confidence) / max(1, columns.shape[1])
    return np.array(
        [
            mean_interval(column, bounds=bounds, confidence=each, skewed=skewed, groups=groups, seed=seed)
            for column in columns.T
        ],
        np.float64,
    ).reshape(-1, 2)


def spread_misleads(observations: Grouped, bounds: tuple[float, float]) -> bool:
    """Whether there are fewer than 5 observations, or half of them lie on a bound or on one number between them."""
    if len(observations) < FEWEST_FOR_SPREAD:
        return True
    means = observations.sums / observations.sizes
    inside = means[(means > bounds[0]) & (means < bounds[1])]
    commonest = np.unique(inside, return_counts=True)[1].max(initial=0)
    return bool(2 * (len(means) - len(inside) + commonest) >= len(means))


def _check(sample: DoubleArray, bounds: tuple[float, float] | None, confidence: float) -> None:
    if not 0 < confidence < 1:
        raise UsageError(f"an interval needs a confidence between 0 and 1, such as 0.95; got {confidence}")
    if bounds is None:
        return
    low, high = bounds
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(f"bounds are two finite numbers, the lower one first, such as (0, 1); got {bounds}")
    if (sample < low - ROUNDING).any() or (sample > high + ROUNDING).any():
        raise UsageError(f"values lie outside their bounds {bounds}: from {sample.min():g} to {sample.max():g}")
