"""The test of a mean that may be skewed: it is Hall's interval, which is given within bounds, read the other way."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.statistics import mean_interval, mean_test, sign_flip_test

FAR = (-99, 99)  # bounds that no end reaches


@pytest.mark.parametrize(("sign", "confidence"), [(1, 0.999), (-1, 0.99), (-1, 0.95)])
def test_a_mean_whose_interval_begins_at_0_has_half_of_what_lies_outside(sign: int, confidence: float) -> None:
    values = sign * np.random.default_rng(12).exponential(size=12)
    low, _ = mean_interval(values, bounds=FAR, confidence=confidence)
    assert mean_test(values - low) == pytest.approx((1 - confidence) / 2)


def test_flipped_signs_count_where_their_p_value_is_the_larger() -> None:
    values = np.random.default_rng(12).exponential(size=12)
    above = values - mean_interval(values, bounds=FAR)[0]
    assert mean_test(above) == sign_flip_test(above) > 0.025
