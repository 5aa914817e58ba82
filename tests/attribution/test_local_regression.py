"""Weighted linear models against scikit-learn, and where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, Ridge

from lumiscope.attribution.regions._population import proximity
from lumiscope.attribution.regions.local_regression import (
    Moments,
    choose_columns,
    forward_selection,
    highest_weights,
    robust_covariance,
    weighted_r2,
    weighted_ridge,
)


def problem(seed, count=60, columns=8):
    generator = np.random.default_rng(seed)
    samples = generator.integers(0, 2, (count, columns)).astype(float)
    samples[0] = 1
    values = samples @ generator.normal(0, 1, columns) + generator.normal(0, 0.3, count)
    return samples, values, generator.uniform(0.01, 1, count)


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=40)
@given(seeds, st.floats(1e-4, 100), st.integers(1, 12), st.integers(10, 80))
def test_ridge_is_scikit_learns(seed, alpha, columns, count):
    samples, values, weights = problem(seed, count, columns)
    ours = weighted_ridge(samples, values, weights, alpha)
    theirs = Ridge(alpha=alpha).fit(samples, values, weights)
    np.testing.assert_allclose(ours.coefficients, theirs.coef_, atol=1e-8)
    assert ours.intercept == pytest.approx(theirs.intercept_, abs=1e-8)
    assert ours.r2 == pytest.approx(theirs.score(samples, values, weights), abs=1e-8)


@settings(max_examples=10)
@given(seeds, st.integers(1, 8))
def test_forward_selection_is_greedy_least_squares(seed, count):
    samples, values, weights = problem(seed)
    kept: list[int] = []
    for _ in range(count):
        scores = {
            column: LinearRegression()
            .fit(samples[:, [*kept, column]], values, weights)
            .score(samples[:, [*kept, column]], values, weights)
            for column in range(8)
            if column not in kept
        }
        kept.append(max(scores, key=scores.__getitem__))
    assert forward_selection(Moments.of(samples, values, weights), count).tolist() == kept


@settings(max_examples=30)
@given(seeds, st.integers(1, 12))
def test_highest_weights_are_those_of_a_ridge(seed, count):
    samples, values, weights = problem(seed)
    magnitude = np.abs(Ridge(alpha=0.01).fit(samples, values, weights).coef_)
    assert (
        highest_weights(Moments.of(samples, values, weights), count).tolist() == np.argsort(-magnitude)[:count].tolist()
    )


def test_up_to_six_columns_are_chosen_one_after_another_more_by_their_weights():
    """As lime's `feature_selection="auto"`. In this problem the two ways choose other columns, 6 or 7 of them."""
    samples, values, weights = problem(168)
    moments = Moments.of(samples, values, weights)
    ways = forward_selection, highest_weights
    assert all(set(ways[0](moments, count)) != set(ways[1](moments, count)) for count in (6, 7))
    assert choose_columns(moments, 6).tolist() == forward_selection(moments, 6).tolist()
    assert choose_columns(moments, 7).tolist() == highest_weights(moments, 7).tolist()


def test_a_linear_black_box_is_found_exactly():
    samples, _, weights = problem(3)
    truth = np.array([0, 2.0, 0, 0, -1.0, 0, 0.5, 0])
    fit = weighted_ridge(samples, 3 + samples @ truth, weights, alpha=0)
    np.testing.assert_allclose(fit.coefficients, truth, atol=1e-10)
    assert fit.intercept == pytest.approx(3)
    assert fit.r2 == pytest.approx(1)
    assert sorted(forward_selection(Moments.of(samples, 3 + samples @ truth, weights), 3)) == [1, 4, 6]
    assert highest_weights(Moments.of(samples, 3 + samples @ truth, weights), 3).tolist() == [1, 4, 6]


def test_more_features_than_columns_are_all_of_them():
    samples, values, weights = problem(4)
    assert sorted(forward_selection(Moments.of(samples, values, weights), 99)) == list(range(8))
    assert sorted(highest_weights(Moments.of(samples, values, weights), 99)) == list(range(8))


def test_columns_that_never_change_or_repeat():
    samples, values, weights = problem(5)
    samples[:, 2] = 1
    samples[:, 6] = samples[:, 1]
    chosen = forward_selection(Moments.of(samples, values, weights), 8)
    assert sorted(chosen) == list(range(8))
    assert set(chosen[-2:]) == {2, 6}, "the constant and the second of two equal columns explain nothing more"
    fit = weighted_ridge(samples, values, weights, alpha=1)
    assert fit.coefficients[2] == pytest.approx(0, abs=1e-12)
    assert fit.coefficients[1] == pytest.approx(fit.coefficients[6])


def test_constant_values_have_no_r2():
    samples, _, weights = problem(6)
    fit = weighted_ridge(samples, np.zeros(60), weights, alpha=1)
    assert not fit.coefficients.any()
    assert np.isnan(fit.r2)


def test_proximity_by_hand():
    samples = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]], float)
    # cosine to row 0 is sqrt(shown / 4); the kernel is exp(-(1 - cosine)^2 / (2 · 0.25^2))
    np.testing.assert_allclose(proximity(samples), [1, np.exp(-2), np.exp(-8)])


def test_robust_covariance_is_statsmodels_hc3():
    import statsmodels.api as sm

    samples, values, weights = problem(7)
    fit = weighted_ridge(samples, values, weights, alpha=0)
    residuals = values - fit.intercept - samples @ fit.coefficients
    ours = robust_covariance(samples, residuals, weights, 0, np.arange(60))
    theirs = sm.WLS(values, sm.add_constant(samples, has_constant="add"), weights).fit(cov_type="HC3")
    np.testing.assert_allclose(ours, theirs.cov_params()[1:, 1:], rtol=1e-8)


def test_errors_that_cancel_within_groups_are_no_errors():
    """Each sample comes with its complement, and both carry the same error: main effects do not see it."""
    generator = np.random.default_rng(8)
    half = generator.integers(0, 2, (40, 6)).astype(float)
    samples = np.concatenate([half, 1 - half])
    even = np.tile(generator.normal(0, 1, 40), 2)
    together = robust_covariance(samples, even, np.ones(80), 0, np.tile(np.arange(40), 2))
    apart = robust_covariance(samples, even, np.ones(80), 0, np.arange(80))
    assert np.trace(together) < 1e-3 * np.trace(apart)


def test_r2_by_hand():
    values, weights = np.array([0.0, 1, 2]), np.array([1.0, 2, 1])
    assert weighted_r2(values, np.array([0.5, 1, 2]), weights) == pytest.approx(1 - 0.25 / 2)
    assert np.isnan(weighted_r2(np.ones(3), np.ones(3), weights))


@pytest.mark.parametrize(("second", "order"), [(45, [0, 1]), (55, [1, 0])])
def test_the_penalty_of_the_highest_weights_is_a_hundredth(second, order):
    """The first column's coefficient is 1 / (0.01 + 0.01), 50; the second's as given: 45 and 55 are on either side."""
    moments = Moments(np.diag([0.01, 1.0]), np.array([1.0, second * 1.01]), np.zeros(2), 0.0)
    assert highest_weights(moments, 2).tolist() == order
