"""The surrogate by its definition: every sample really left out, every picture of the population really asked."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lumiscope.attribution.regions._population import proximity
from lumiscope.attribution.regions._stopping import stability
from lumiscope.attribution.regions._surrogate import fit_surrogate

SEGMENTS = 5
EVERY = np.array(list(itertools.product([0.0, 1.0], repeat=SEGMENTS)))


def kernel(rows, columns, lengths):
    """Of two pictures the product over segments of exp(t_j (x_j x'_j - 1)), x of -1 and 1."""
    products = (2 * rows - 1)[:, None] * (2 * columns - 1)[None]
    return np.exp(lengths * (products - 1)).prod(axis=2)


def left_out(samples, values, noise, lengths):
    """(n,) the prediction of each sample by the others. `noise`: (n,) variances."""
    predictions = []
    for place in range(len(samples)):
        others = np.arange(len(samples)) != place
        matrix = kernel(samples[others], samples[others], lengths) + np.diag(noise[others])
        dual = np.linalg.solve(matrix, values[others])
        predictions.append((kernel(samples[[place]], samples[others], lengths) @ dual)[0])
    return np.array(predictions)


def population_line(of_every_picture):
    """(d,) slopes of the weighted linear fit to a function of all pictures, without a penalty."""
    root = np.sqrt(proximity(EVERY))
    design = np.column_stack([np.ones(len(EVERY)), EVERY])
    return np.linalg.lstsq(root[:, None] * design, root * of_every_picture, rcond=None)[0][1:]


def slow_surrogate(samples, values, weights, guess, rounds):
    offset = np.average(values, weights=weights)
    spread = weights.mean() / weights
    coefficients = guess
    for _ in range(rounds):
        share = np.abs(coefficients) / np.abs(coefficients).sum()
        tried = {
            (total, noise): weights
            @ (values - offset - left_out(samples, values - offset, noise * spread, total * share)) ** 2
            for total in (1.0, 2.0, 4.0, 8.0)
            for noise in (1e-3, 1e-2, 0.1, 1.0)
        }
        total, noise = min(tried, key=tried.get)
        matrix = kernel(samples, samples, total * share) + np.diag(noise * spread)
        dual = np.linalg.solve(matrix, values - offset)
        coefficients = population_line(kernel(EVERY, samples, total * share) @ dual)
    return coefficients, offset + left_out(samples, values - offset, noise * spread, total * share)


@pytest.mark.parametrize("guess", [np.ones(SEGMENTS), np.array([0.0, 0, 0, 3, -1])], ids=["even", "wrong"])
def test_it_is_its_definition(guess):
    rng = np.random.default_rng(0)
    samples = rng.integers(0, 2, (24, SEGMENTS)).astype(float)
    values = np.tanh(samples @ [2.0, -1.0, 0.5, 0, 0] + samples[:, 0] * samples[:, 1]) + 0.05 * rng.normal(size=24)
    weights = proximity(samples) + 0.01
    surrogate = fit_surrogate(samples, values, weights, guess)
    coefficients, predictions = slow_surrogate(samples, values, weights, guess, rounds=2)
    np.testing.assert_allclose(surrogate.coefficients, coefficients, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(surrogate.predictions, predictions, rtol=1e-6, atol=1e-9)
    once, _ = slow_surrogate(samples, values, weights, guess, rounds=1)
    assert np.abs(once - coefficients).max() > 0.01, "the second round makes a difference here"


@pytest.mark.parametrize(("count", "expected"), [(2, 0.75), (1, 1.0)])
def test_a_choice_is_as_stable_as_its_overlap_with_the_larger_of_two(count, expected):
    """The second segment is as likely above 0 as below: half of the draws choose it too, where two may be chosen."""
    share = stability(np.array([100.0, -1e-9]), np.eye(2), count, seed=0)
    assert share == pytest.approx(expected, abs=0.05)
    assert stability(np.array([100.0, -1.0]), np.zeros((2, 2)), count, seed=0) == 1
    assert stability(np.array([-1.0, -2.0]), np.zeros((2, 2)), count, seed=0) == 1
