"""Correlation of a unit with a concept, given other concepts, and its test."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, ndtr, ndtri

from lumiscope.dissection.similarity.preparation import standardised
from lumiscope.types import DoubleArray


def deviations(columns: NDArray[np.floating[Any]]) -> DoubleArray:
    """(D, n) float64: each column less its mean, at length 1; all 0 for a constant one."""
    return np.nan_to_num(standardised(columns), copy=False, nan=0.0)


def partial_test(
    activation: NDArray[np.floating[Any]], scores: NDArray[np.floating[Any]], given: NDArray[np.floating[Any]]
) -> tuple[float, float, float]:
    """Return correlation, partial correlation given other concepts, and the one-sided p-value of the latter.

    `activation`, `scores`: (D,). `given`: (D, s). The p-value is that of a positive association between the normal
    scores of the activation's residual (ranks as normal quantiles, so that no single image decides) and the concept's
    residual, under all permutations of the images: see `permutation_tail`.
    (NaN, NaN, NaN) where a column is constant or explained by the others.
    """
    pair = deviations(np.column_stack([activation, scores]))
    basis = np.linalg.qr(deviations(given))[0]
    residuals = pair - basis @ (basis.T @ pair)
    lengths = np.linalg.norm(residuals, axis=0)
    if (lengths < 1e-6).any():
        return math.nan, math.nan, math.nan
    residuals /= lengths
    return (
        float(pair[:, 0] @ pair[:, 1]),
        float(residuals[:, 0] @ residuals[:, 1]),
        permutation_tail(normal_scores(residuals[:, 0]), residuals[:, 1]),
    )


def normal_scores(values: DoubleArray) -> DoubleArray:
    """(D,): the standard normal quantile of each value's rank, ties averaged (van der Waerden)."""
    from scipy.stats import rankdata

    # Values that agree but for rounding are ties.
    ranks = rankdata(np.round(values, 12))
    return np.asarray(ndtri(ranks / (len(values) + 1)))


def permutation_tail(first: DoubleArray, second: DoubleArray) -> float:
    """How probable a sum of products as high as Σ first · second is if one of the two is permuted at random.

    `first`, `second`: (D,), D >= 3, neither constant. The permutation distribution is taken as a Pearson type III
    (shifted gamma) with its exact mean, variance and skewness, as in Mielke and Berry's tests: with rare concepts it
    is far from normal. Returns a number in [0, 1].
    """
    count = len(first)
    a, b = first - first.mean(), second - second.mean()
    deviation = math.sqrt(float((a @ a) * (b @ b)) / (count - 1))
    third = float((a**3).sum() * (b**3).sum()) * count / ((count - 1) * (count - 2))
    skewness = third / deviation**3
    z = float(a @ b) / deviation
    if abs(skewness) < 1e-4:
        return float(ndtr(-z))
    shape = 4 / skewness**2
    at = shape + z * 2 / skewness
    if skewness > 0:
        return float(gammaincc(shape, max(at, 0)))
    return float(1 - gammaincc(shape, max(at, 0)))
