"""Intervals and tests of shares against their formulas and tables that can be counted out."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumiscope.errors import UsageError
from lumiscope.statistics.proportions import difference_interval, share_test, wilson_interval


def wilson(count: int, total: int, z: float = 1.959963984540054) -> tuple[float, float]:
    share = count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return middle - half, middle + half


@pytest.mark.parametrize(("count", "total"), [(1, 2), (3, 10), (0, 20), (20, 20), (150, 512)])
def test_wilson_is_its_formula(count: int, total: int) -> None:
    assert wilson_interval(count, total) == pytest.approx(wilson(count, total), abs=1e-9)


def test_the_difference_of_newcombes_own_example() -> None:
    """56/70 - 48/80: 0.0524 to 0.3339 (Newcombe 1998, table II, example a, method 10)."""
    assert difference_interval((48, 80), (56, 70)) == pytest.approx((0.0524, 0.3339), abs=1e-4)


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 30), st.integers(1, 30))
def test_the_difference_lies_in_its_interval_and_turns_with_it(a: int, more_a: int, b: int, more_b: int) -> None:
    first, second = (a, a + more_a), (b, b + more_b)
    low, high = difference_interval(first, second)
    assert -1 <= low <= second[0] / second[1] - first[0] / first[1] <= high <= 1
    turned = difference_interval(second, first)
    assert turned == pytest.approx((-high, -low))


def test_fisher_counts_the_tables() -> None:
    """3 of 3 against 0 of 3: the most extreme two of the twenty ways to choose three of six."""
    assert share_test((3, 3), (0, 3)) == pytest.approx(2 / 20)
    assert share_test((2, 4), (2, 4)) == 1


def test_no_units_have_no_share() -> None:
    assert all(math.isnan(end) for end in (*wilson_interval(0, 0), *difference_interval((0, 0), (1, 2))))
    assert math.isnan(share_test((0, 0), (1, 2)))
    with pytest.raises(UsageError, match="got 3 of 2"):
        wilson_interval(3, 2)
