"""Correlations of permuted units of several shapes on one scale: location and spread follow the shape."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from lumiscope.dissection.evidence.null_distribution import _standardised
from lumiscope.statistics import null_p_values

DRAWS = 4000
LOCATIONS, SPREADS = np.array([0.1, 0.3]), np.array([0.05, 0.2])
QUANTILES = norm.ppf((np.arange(10_000) + 0.5) / 10_000)


def correlations_of_two_shapes(seed=0):
    """Draws of two shapes, 0 and 1, normal with the locations and spreads above."""
    kind = np.arange(DRAWS) % 2
    drawn = LOCATIONS[kind] + SPREADS[kind] * np.random.default_rng(seed).normal(size=DRAWS)
    return drawn, kind.astype(float)[:, np.newaxis]


def spreads_after_the_fit():
    """(2,): each spread over the fitted one: exp of the mean of log(|residual| + a tenth of the typical residual)."""
    residuals = np.abs(np.outer(SPREADS, QUANTILES))
    return SPREADS / np.exp(np.log(residuals + 0.1 * residuals.mean()).mean(axis=1))


def test_location_and_spread_of_either_shape():
    drawn, facts = correlations_of_two_shapes()
    standard, _ = _standardised(drawn, facts, drawn[:2], facts[:2])
    for kind, spread in enumerate(spreads_after_the_fit()):
        half = standard[facts[:, 0] == kind]
        # The standard error of a mean of 2,000 is 2 % of the spread, that of a spread 1.6 %, of the fitted one 1.5 %.
        assert half.mean() == pytest.approx(0, abs=0.08 * spread)
        assert half.std() == pytest.approx(spread, rel=0.08)


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("deviations", [0.5, 1.0, 2.0])
def test_a_unit_is_judged_by_the_location_and_spread_of_its_shape(kind, deviations):
    drawn, facts = correlations_of_two_shapes()
    observed = LOCATIONS[kind] + deviations * SPREADS[kind]
    p_value = null_p_values(*_standardised(drawn, facts, np.array([observed]), np.array([[float(kind)]]))[::-1])
    after = spreads_after_the_fit()
    expected = norm.sf(deviations * after[kind] / after).mean()
    assert p_value == pytest.approx(expected, abs=4 * np.sqrt(expected / DRAWS))


@pytest.mark.parametrize("scale", [1e-4, 0.01, 100.0])
def test_p_values_do_not_change_when_all_correlations_are_scaled(scale):
    """With more images all correlations shrink alike; what is compared does not."""
    drawn, facts = correlations_of_two_shapes()
    observed, shapes = np.array([0.15, 0.25, 0.3, 0.7]), np.array([[0.0], [0.0], [1.0], [1.0]])
    standard, values = _standardised(drawn, facts, observed, shapes)
    scaled_standard, scaled_values = _standardised(scale * drawn, facts, scale * observed, shapes)
    expected = null_p_values(values, standard)
    np.testing.assert_allclose(null_p_values(scaled_values, scaled_standard), expected, rtol=1e-6)
    assert (np.diff(expected[:2]) < 0).all()


def test_too_few_draws_and_shapes_that_are_alike_are_left_as_they_are():
    drawn, facts = correlations_of_two_shapes()
    for some, shapes in ((drawn[:19], facts[:19]), (drawn, np.ones_like(facts))):
        standard, observed = _standardised(some, shapes, some[:3], shapes[:3])
        np.testing.assert_array_equal(standard, some)
        np.testing.assert_array_equal(observed, some[:3])
    standard, _ = _standardised(drawn[:20], facts[:20], drawn[:3], facts[:3])
    assert not np.array_equal(standard, drawn[:20]), "20 draws are enough for one fact"
