"""Weighted linear models of a black box around one picture, in float64."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumiscope.types import DoubleArray, IntArray


@dataclass(frozen=True)
class LinearFit:
    """y ≈ intercept + Z · coefficients. `r2`: weighted coefficient of determination; NaN where y is constant."""

    coefficients: DoubleArray
    intercept: float
    r2: float


def weighted_ridge(samples: DoubleArray, values: DoubleArray, weights: DoubleArray, alpha: float) -> LinearFit:
    """Minimise sum_i w_i (y_i - b - z_i·c)^2 + alpha |c|^2; the intercept b is not penalised.

    `samples`: (n, d); `values` and `weights`: (n,).
    """
    gram, projections, mean, offset = _moments(samples, values, weights)
    penalised = gram + alpha * np.eye(len(gram))
    coefficients: DoubleArray = np.linalg.lstsq(penalised, projections, rcond=None)[0].astype(np.float64, copy=False)
    intercept = float(offset - mean @ coefficients)
    residual = weights @ (values - intercept - samples @ coefficients) ** 2
    total = weights @ (values - offset) ** 2
    return LinearFit(coefficients, intercept, float(1 - residual / total) if total > 0 else float("nan"))


def forward_selection(samples: DoubleArray, values: DoubleArray, weights: DoubleArray, count: int) -> IntArray:
    """Greedily choose `count` columns, each time the one that raises the weighted R2 of least squares most.

    The gain of column j after the chosen ones are swept out of the Gram matrix G and the projections b is
    b_j^2 / G_jj. Ties go to the lower column.
    """
    gram, projections, _, _ = _moments(samples, values, weights)
    floor = 1e-12 * np.diag(gram).max(initial=0)
    chosen: list[int] = []
    for _ in range(min(count, samples.shape[1])):
        spread = np.diag(gram)
        gain = np.where(spread > floor, projections**2 / np.maximum(spread, floor or 1), 0)
        gain[chosen] = -1
        best = int(gain.argmax())
        chosen.append(best)
        if gram[best, best] > floor:
            share = gram[best] / gram[best, best]
            projections = projections - share * projections[best]
            gram = gram - np.outer(gram[:, best], share)
    return np.array(chosen, dtype=np.int64)


def highest_weights(samples: DoubleArray, values: DoubleArray, weights: DoubleArray, count: int) -> IntArray:
    """The `count` columns with the largest |coefficient| in a ridge fit with alpha 0.01. Ties: the lower column."""
    coefficients = weighted_ridge(samples, values, weights, alpha=0.01).coefficients
    return np.argsort(-np.abs(coefficients), kind="stable")[:count]


def _moments(
    samples: DoubleArray, values: DoubleArray, weights: DoubleArray
) -> tuple[DoubleArray, DoubleArray, DoubleArray, float]:
    """Weighted Gram matrix and projections after centring, and the weighted means."""
    share = weights / weights.sum()
    mean, offset = share @ samples, float(share @ values)
    centred = samples - mean
    weighted = centred * weights[:, None]
    return centred.T @ weighted, weighted.T @ (values - offset), mean, offset
