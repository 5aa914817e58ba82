"""Means that leave out what is undefined: NaN says that there is no number."""

from __future__ import annotations

import math
from collections.abc import Iterable


def known(values: Iterable[float]) -> list[float]:
    """Those that are no NaN, in order."""
    return [value for value in values if not math.isnan(value)]


def mean_of_known(values: Iterable[float]) -> float:
    """Their mean; NaN without any."""
    numbers = known(values)
    return math.fsum(numbers) / len(numbers) if numbers else math.nan
