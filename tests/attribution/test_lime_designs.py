"""Designs, the population, the surrogate and the stopping rule, where the truth can be counted out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from lumiscope.attribution.regions._hadamard import hadamard
from lumiscope.attribution.regions._population import Population, proximity
from lumiscope.attribution.regions._stopping import block_ends, chosen_segments, stability
from lumiscope.attribution.regions._surrogate import fit_surrogate
from lumiscope.attribution.regions.designs import DESIGNS, draw_samples, foldover_samples
from lumiscope.attribution.regions.lime_estimate import Estimate, Sampled
from lumiscope.attribution.regions.local_regression import weighted_ridge


def everything(segments):
    return np.array(list(itertools.product([0.0, 1.0], repeat=segments)))


ORDERS = sorted({1, 2, *range(4, 100, 4)} - {52, 92})  # all that there are below 100 but two


@pytest.mark.parametrize("least", range(1, 97))
def test_hadamard(least):
    matrix = hadamard(least)
    order = len(matrix)
    assert order == next(order for order in ORDERS if order >= least)
    assert set(np.unique(matrix)) <= {-1.0, 1.0}
    np.testing.assert_array_equal(matrix @ matrix.T, order * np.eye(order))


@pytest.mark.parametrize("segments", [3, 7, 12])
def test_a_block_of_foldover_has_main_effects_clear_of_two_way_interactions(segments):
    order = len(hadamard(segments))
    signs = 2 * foldover_samples(5, 1 + 2 * order, segments)[1:] - 1
    np.testing.assert_array_equal(signs.sum(axis=0), 0)
    np.testing.assert_array_equal(signs.T @ signs, 2 * order * np.eye(segments))
    for segment, other in itertools.combinations(range(segments), 2):
        np.testing.assert_array_equal(signs.T @ (signs[:, segment] * signs[:, other]), 0)
    np.testing.assert_array_equal(signs[::2], -signs[1::2])


@pytest.mark.parametrize("draw", [draw_samples, foldover_samples])
def test_fewer_samples_are_the_first_of_more(draw):
    many = draw(3, 211, 9)
    assert many.shape == (211, 9)
    assert many[0].all()
    assert set(np.unique(many)) == {0.0, 1.0}
    for count in (2, 30, 97, 210):
        np.testing.assert_array_equal(draw(3, count, 9), many[:count])
    assert not np.array_equal(draw(4, 211, 9), many)


@pytest.mark.parametrize("segments", [1, 2, 5, 8])
def test_population_moments_are_those_of_all_samples(segments):
    samples = everything(segments)
    weights = proximity(samples)
    population = Population.of(segments)
    centred = samples - weights @ samples / weights.sum()
    np.testing.assert_allclose(population.mean, weights @ samples / weights.sum(), atol=1e-12)
    np.testing.assert_allclose(population.total, weights.mean(), atol=1e-12)
    np.testing.assert_allclose(population.gram(), centred.T @ (centred * weights[:, None]) / weights.sum(), atol=1e-12)


@pytest.mark.parametrize("segments", [1, 2, 5, 8])
def test_means_of_products_are_those_of_all_samples(segments):
    generator = np.random.default_rng(segments)
    shown, hidden = generator.uniform(0, 2, (2, 70, segments))
    samples = everything(segments)
    weights = proximity(samples) / proximity(samples).sum()
    products = np.where(samples[None] > 0, shown[:, None], hidden[:, None]).prod(axis=2)
    mean, with_segment = Population.of(segments).means(shown, hidden)
    np.testing.assert_allclose(mean, products @ weights, atol=1e-12)
    np.testing.assert_allclose(with_segment, (products * weights) @ samples, atol=1e-12)


def bent(samples):
    """A probability with a bend: its linear coefficients depend on the whole population."""
    steps = np.linspace(-1, 2, samples.shape[1])
    return expit(samples @ steps - 2 + 1.5 * samples[:, 0] * samples[:, 1])


def population_coefficients(segments):
    samples = everything(segments)
    return weighted_ridge(samples, bent(samples), proximity(samples), 0).coefficients


def test_the_surrogate_of_all_samples_has_the_coefficients_of_the_truth():
    samples = everything(8)
    surrogate = fit_surrogate(samples, bent(samples), proximity(samples), np.ones(8))
    np.testing.assert_allclose(surrogate.coefficients, population_coefficients(8), atol=2e-3)
    assert np.abs(surrogate.predictions - bent(samples)).max() < 0.05


def test_the_surrogate_predicts_each_sample_without_having_seen_it():
    """Noise cannot be predicted: where the values are nothing else, predictions have no more to do with them."""
    samples = foldover_samples(0, 300, 10)
    noise = np.random.default_rng(1).normal(0, 1, 300)
    surrogate = fit_surrogate(samples, noise, proximity(samples), np.ones(10))
    assert np.corrcoef(surrogate.predictions, noise)[0, 1] < 0.1


def errors_and_intervals(design, seeds, segments=10, count=120):
    """Squared errors of the coefficients, and how often their interval holds the truth."""
    truth = population_coefficients(segments)
    errors, covered = [], []
    for seed in seeds:
        samples = DESIGNS[design].draw(seed, count, segments)
        estimate = Estimate.of(Sampled(samples, bent(samples), proximity(samples)), DESIGNS[design])
        fit, kept = estimate.model(segments)
        low, high = estimate.intervals(fit, kept, 0.9).T
        errors.append((fit.coefficients - truth) ** 2)
        covered.append((low <= truth) & (truth <= high))
    return np.mean(errors), np.mean(covered)


def test_better_designs_err_less_and_all_say_how_much():
    error, coverage = {}, {}
    for design in DESIGNS:
        error[design], coverage[design] = errors_and_intervals(design, range(40))
    assert error["foldover"] < error["bernoulli"] / 1.5
    assert error["surrogate"] < error["foldover"] / 2
    assert all(0.85 < coverage[design] < 0.98 for design in DESIGNS), coverage


@pytest.mark.parametrize(
    ("design", "count", "freedom"),
    [("bernoulli", 12, 12 - 3 - 1), ("foldover", 13, 7 - 3 - 1), ("surrogate", 15, 8 - 3 - 1), ("bernoulli", 4, 1)],
)
def test_intervals_are_those_of_student_with_a_degree_for_each_sample_beyond_the_coefficients(design, count, freedom):
    """Three coefficients and the intercept are fitted; of a pair both samples are one, and row 0 has no partner."""
    samples = DESIGNS[design].draw(0, count, 5)
    estimate = Estimate.of(Sampled(samples, bent(samples), proximity(samples)), DESIGNS[design])
    fit, kept = estimate.model(3)
    assert len(kept) == 3
    widths = [np.diff(estimate.intervals(fit, kept, confidence))[kept, 0] for confidence in (0.5, 0.95)]
    quartile, upper = stats.t.ppf([0.75, 0.975], freedom)
    np.testing.assert_allclose(widths[1] / widths[0], upper / quartile, rtol=1e-9)


def test_a_useless_surrogate_is_corrected():
    """Thousands of samples of a function that the surrogate, which learns from 750, cannot have learned by heart."""
    samples = draw_samples(0, 6000, 12)
    parity = (samples[:, :5].sum(axis=1) % 2) * 0.5 + samples @ np.linspace(0, 0.3, 12)
    data = Sampled(samples, parity, proximity(samples))
    estimate = Estimate.of(data, DESIGNS["surrogate"])
    np.testing.assert_allclose(
        estimate.everything[5:], np.linspace(0, 0.3, 12)[5:], atol=4 * np.sqrt(np.diag(estimate.covariance)).max()
    )


def test_chosen_segments():
    assert chosen_segments(np.array([0.1, -3, 2, 0, 0.5]), 2).tolist() == [False, False, True, False, True]
    assert chosen_segments(np.array([0.1, -3, 0.0]), 2).tolist() == [True, False, False]


def test_stability():
    coefficients = np.array([3.0, 2, 1, 0.5])
    assert stability(coefficients, 1e-6 * np.eye(4), 2, 0) == 1
    assert stability(-coefficients, 1e-6 * np.eye(4), 2, 0) == 1, "none is chosen, none would be"
    # two equal segments for one place: a coin decides which of them is drawn first
    equal = stability(np.array([1.0, 1.0, -9]), 0.01 * np.eye(3), 1, 0)
    assert equal == pytest.approx(0.5, abs=0.1)


def test_blocks_grow_to_the_most():
    assert block_ends(400, 1000) == [400, 533, 710, 946, 1000]
    assert block_ends(10, 1000)[0] == 50
    assert block_ends(400, 60) == [60]
