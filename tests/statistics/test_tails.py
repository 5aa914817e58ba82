"""P-values beyond the draws: against the distribution that the draws come from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lumiscope.errors import UsageError
from lumiscope.statistics import null_p_values
from lumiscope.statistics.tails import ParetoTail, fit_pareto_tail


def test_in_the_bulk_draws_are_counted():
    draws = np.arange(1, 101.0)
    np.testing.assert_allclose(
        null_p_values(np.array([0.0, 50.0, 50.5, np.nan]), draws), [1, 52 / 101, 51 / 101, np.nan]
    )


@pytest.mark.parametrize("distribution", [stats.expon(), stats.genpareto(0.2), stats.norm(), stats.gumbel_r()])
def test_far_out_the_tail_is_near_the_truth_and_seldom_too_low(distribution):
    point = distribution.isf(1e-5)
    fitted = [null_p_values(np.array([point]), distribution.rvs(2000, random_state=seed))[0] for seed in range(20)]
    assert 1e-6 < np.median(fitted) < 2e-3
    assert min(fitted) > 1e-9


def slow_fit(draws):
    """The definition: probability-weighted moments and the one-sided Kolmogorov test, one number of exceedances a time.

    Hosking and Wallis 1987, equations of section 2.3, with their k = -shape: a0 and a1 are the means of x and x(1 - F).
    """
    rising = sorted(draws)
    count = len(draws) // 4
    while count >= 30:
        excess = rising[-count:]
        threshold = (excess[0] + rising[-count - 1]) / 2
        excess = [value - threshold for value in excess]
        a0 = sum(excess) / count
        a1 = sum(value * (count - 1 - rank) / (count - 1) for rank, value in enumerate(excess)) / count
        shape, scale = -(a0 / (a0 - 2 * a1) - 2), 2 * a0 * a1 / (a0 - 2 * a1)
        shape, scale = (shape, scale) if shape > 0 else (0, a0)
        fitted = stats.genpareto(shape, scale=scale)
        beyond = max((count - rank) / count - fitted.sf(value) for rank, value in enumerate(excess))
        if beyond <= np.sqrt(np.log(1 / 0.05) / (2 * count)):
            return threshold, count / len(draws), shape, scale
        count -= 10
    return None


BEND = np.concatenate([np.linspace(0, 1, 900), 1 + stats.expon(scale=5).ppf((np.arange(100) + 0.5) / 100)])


@pytest.mark.parametrize(
    "draws",
    [
        stats.genpareto(0.3).rvs(1000, random_state=0),
        stats.norm().rvs(1000, random_state=1),
        stats.gumbel_r().rvs(130, random_state=2),
        stats.gumbel_r().rvs(120, random_state=2),
        BEND,
    ],
    ids=["heavy", "light", "few", "fewest", "bend"],
)
def test_the_fit_is_its_definition(draws):
    tail = fit_pareto_tail(draws)
    expected = slow_fit(draws)
    assert (tail.threshold, tail.share, tail.shape, tail.scale) == pytest.approx(expected, rel=1e-9)


def test_thirty_exceedances_are_the_fewest():
    draws = stats.expon().ppf((np.arange(120) + 0.5) / 120)
    assert fit_pareto_tail(draws).share == 30 / 120
    assert fit_pareto_tail(draws[1:]) is None, "a quarter of 119 is 29"


def test_a_tail_that_bends_is_fitted_further_out():
    """Of the highest quarter of these draws two in five follow another law: the first fits are refused."""
    assert fit_pareto_tail(BEND).share < 0.2


@pytest.mark.parametrize("seed", [0, 1])
def test_ten_draws_are_counted_and_beyond_them_the_fitted_tail_holds(seed):
    """The tail of the first draws says more than the count at the tenth of them, that of the second less."""
    draws = stats.genpareto(0.3).rvs(1000, random_state=seed)
    threshold, share, shape, scale = slow_fit(draws)
    points = np.array([threshold + 20, threshold + 50])
    expected = share * stats.genpareto(shape, scale=scale).sf(points - threshold)
    np.testing.assert_allclose(null_p_values(points, draws), expected, rtol=1e-9)
    tenth, eleventh = np.sort(draws)[::-1][[9, 10]]
    counted = null_p_values(np.array([tenth, (tenth + eleventh) / 2, eleventh]), draws)
    np.testing.assert_allclose(counted, [11 / 1001, 11 / 1001, 12 / 1001])
    fitted = share * stats.genpareto(shape, scale=scale).sf(tenth + 1e-9 - threshold)
    assert null_p_values(np.array([tenth + 1e-9]), draws) == pytest.approx(min(fitted, 11 / 1001))
    assert (fitted > 11 / 1001) == (seed == 0)


def test_exponential_draws_give_an_exponential_tail():
    draws = -np.log((np.arange(4000) + 0.5) / 4000)
    tail = fit_pareto_tail(draws)
    assert tail.share == 0.25
    assert tail.shape == pytest.approx(0, abs=0.02)
    assert tail.scale == pytest.approx(1, abs=0.02)
    assert tail.threshold == pytest.approx(np.log(4), abs=0.01)
    (p_value,) = null_p_values(np.array([12.0]), draws)
    assert np.log(p_value) == pytest.approx(-12, abs=0.6)


def test_the_survival_is_scipys():
    tail = ParetoTail(0.0, 1.0, 0.3, 2.0)
    points = np.array([0.0, 0.5, 4.0, 100.0])
    np.testing.assert_allclose(tail.survival(points), stats.genpareto(0.3, scale=2).sf(points))
    np.testing.assert_allclose(ParetoTail(0.0, 1.0, 0.0, 2.0).survival(points), stats.expon(scale=2).sf(points))


def test_no_p_value_is_zero_even_behind_a_bounded_null():
    """Uniform draws end at 1: the exponential that stands for their tail has no end."""
    p_values = null_p_values(np.array([1.5, 3.0, 1e9]), np.random.default_rng(0).random(1000))
    assert (p_values > 0).all()
    assert (np.diff(p_values) <= 0).all()


def test_without_a_tail_the_count_decides():
    assert null_p_values(np.array([7.0]), np.full(500, 2.0)) == pytest.approx(1 / 501)
    assert null_p_values(np.array([7.0]), np.full(20, -np.inf)) == pytest.approx(1 / 21)
    two_valued = np.repeat([0.0, 1.0], [950, 50])
    assert null_p_values(np.array([1.0]), two_valued) == pytest.approx(51 / 1001)


def test_no_draws_is_an_error():
    with pytest.raises(UsageError, match="at least one draw"):
        null_p_values(np.array([1.0]), np.zeros(0))


def test_draws_of_two_values_have_no_tail():
    """The 100 highest of 400 are one value: no excess above another, so there is nothing to fit."""
    draws = np.repeat([1.0, 0.5], [100, 300])
    assert fit_pareto_tail(draws) is None
    assert null_p_values(np.array([1.0, 2.0]), draws).tolist() == [101 / 401, 1 / 401]
