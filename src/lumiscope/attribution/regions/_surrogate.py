"""A Gaussian process on hidden segments: a stand-in for the model whose own linear coefficients are known exactly.

Source: control variates (Hammersley and Handscomb 1964) with a surrogate fitted to the same samples; kernel and
combination are this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from lumiscope.attribution.regions._population import Population
from lumiscope.types import DoubleArray

LENGTHS = (1.0, 2.0, 4.0, 8.0)
NOISES = (1e-3, 1e-2, 0.1, 1.0)
TUNED_ON = 250  # samples that choose length and noise: more choose the same, and cost their cube
TRAINED_ON = 750


@dataclass(frozen=True)
class Surrogate:
    """g(z) = mean + sum_i a_i prod_j exp(t_j (x_j x_ij - 1)) with x = 2z - 1 and the samples' own x_i.

    `coefficients`: (d,) of LIME's linear model of g in the population. `predictions`: (n,) of each sample by the
    surrogate made without it (leave-one-out; for rows that were not trained on, by the whole one).
    """

    coefficients: DoubleArray
    predictions: DoubleArray


def fit_surrogate(samples: DoubleArray, values: DoubleArray, weights: DoubleArray, guess: DoubleArray) -> Surrogate:
    """Fit the process to (n, d) samples of 0 and 1 with (n,) values and weights.

    `guess`: (d,) a first idea of the coefficients: a segment that matters alone also matters in company, so its share
    of the kernel's length is its |coefficient|. Total length and noise are those with the least weighted squared
    leave-one-out error. Done twice, the second time with the coefficients of the first.
    """
    population = Population.of(samples.shape[1])
    signs = 2 * samples - 1
    trained = slice(0, TRAINED_ON)
    offset = float(weights @ values / weights.sum())
    coefficients = guess
    for _ in range(2):
        share = np.abs(coefficients)
        if not share.sum() > 0:
            share = np.ones_like(share)
        lengths, noise = _tuned(signs[:TUNED_ON], (values - offset)[:TUNED_ON], weights[:TUNED_ON], share / share.sum())
        kernel = _kernel(signs[trained], signs[trained], lengths)
        dual, left_out = _solved(kernel, (values - offset)[trained], weights[trained], np.array(noise))
        coefficients = _coefficients(population, signs[trained], dual, lengths)
    beyond = _kernel(signs[TRAINED_ON:], signs[trained], lengths) @ dual
    return Surrogate(coefficients, offset + np.concatenate([left_out, beyond]))


def _kernel(rows: DoubleArray, columns: DoubleArray, lengths: DoubleArray) -> DoubleArray:
    return np.asarray(np.exp((rows * lengths) @ columns.T - lengths.sum()))


def _tuned(
    signs: DoubleArray, values: DoubleArray, weights: DoubleArray, share: DoubleArray
) -> tuple[DoubleArray, float]:
    """The lengths, `share` times a total, and the noise with the least leave-one-out error."""
    lengths = [total * share for total in LENGTHS]
    kernels = np.stack([_kernel(signs, signs, scaled) for scaled in lengths])
    _, left_out = _solved(kernels[:, None], values, weights, np.array(NOISES))
    loss = (values - left_out) ** 2 @ weights
    length, noise = np.unravel_index(int(loss.argmin()), loss.shape)
    return lengths[int(length)], NOISES[int(noise)]


def _solved(
    kernel: DoubleArray, values: DoubleArray, weights: DoubleArray, noise: DoubleArray
) -> tuple[DoubleArray, DoubleArray]:
    """Dual coefficients of all samples, and each sample's prediction without it (Rasmussen and Williams 2006, 5.12).

    `kernel`: (..., n, n); `noise`: (...). Plain inverses, by torch and all at once: of the ways tried (Cholesky, an
    eigendecomposition that serves all noises) their threads waste least on each other where the machine is busy.
    """
    matrix = torch.from_numpy(kernel + noise[..., None, None] * np.diag(weights.mean() / weights))
    inverse = torch.linalg.inv(matrix).numpy()
    dual = inverse @ values
    return dual, values - dual / np.diagonal(inverse, axis1=-2, axis2=-1)


def _coefficients(population: Population, signs: DoubleArray, dual: DoubleArray, lengths: DoubleArray) -> DoubleArray:
    mean, with_segment = population.means(np.exp(lengths * (signs - 1)), np.exp(-lengths * (signs + 1)))
    covariance = dual @ with_segment - population.mean * float(dual @ mean)
    return np.asarray(np.linalg.solve(population.gram(), covariance), np.float64)
