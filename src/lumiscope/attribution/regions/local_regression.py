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


@dataclass(frozen=True)
class Moments:
    """What a weighted linear model needs of its data: everything centred on the weighted means.

    `gram`: (d, d) sum of w z z^T; `projections`: (d,) sum of w z y; `mean`: (d,) of z; `offset`: mean of y.
    """

    gram: DoubleArray
    projections: DoubleArray
    mean: DoubleArray
    offset: float

    @classmethod
    def of(cls, samples: DoubleArray, values: DoubleArray, weights: DoubleArray) -> Moments:
        """The moments of (n, d) samples with (n,) values and weights."""
        share = weights / weights.sum()
        mean, offset = share @ samples, float(share @ values)
        centred = samples - mean
        weighted = centred * weights[:, None]
        return cls(centred.T @ weighted, weighted.T @ (values - offset), mean, offset)

    def ridge(self, kept: IntArray, alpha: float) -> tuple[DoubleArray, float]:
        """(d,) coefficients of the columns `kept`, 0 elsewhere, and the intercept, which is not penalised."""
        penalised = self.gram[np.ix_(kept, kept)] + alpha * np.eye(len(kept))
        coefficients = np.zeros(len(self.mean))
        coefficients[kept] = np.linalg.lstsq(penalised, self.projections[kept], rcond=None)[0]
        return coefficients, float(self.offset - self.mean @ coefficients)


def weighted_ridge(samples: DoubleArray, values: DoubleArray, weights: DoubleArray, alpha: float) -> LinearFit:
    """Minimise sum_i w_i (y_i - b - z_i·c)^2 + alpha |c|^2; the intercept b is not penalised.

    `samples`: (n, d); `values` and `weights`: (n,).
    """
    coefficients, intercept = Moments.of(samples, values, weights).ridge(np.arange(samples.shape[1]), alpha)
    return LinearFit(coefficients, intercept, weighted_r2(values, intercept + samples @ coefficients, weights))


def weighted_r2(values: DoubleArray, predictions: DoubleArray, weights: DoubleArray) -> float:
    """1 - weighted squared residual / weighted squared deviation from the mean; NaN where `values` are constant.

    Constant is what differs by no more than rounding, 1e-12 of the largest value.
    """
    offset = weights @ values / weights.sum()
    deviation = values - offset
    if np.abs(deviation).max() <= 1e-12 * np.abs(values).max():
        return float("nan")
    return float(1 - weights @ (values - predictions) ** 2 / (weights @ deviation**2))


def choose_columns(moments: Moments, count: int) -> IntArray:
    """As lime's feature selection "auto": up to 6 columns by forward selection, more by the highest weights."""
    return forward_selection(moments, count) if count <= 6 else highest_weights(moments, count)


def forward_selection(moments: Moments, count: int) -> IntArray:
    """Greedily choose `count` columns, each time the one that raises the weighted R2 of least squares most.

    The gain of column j after the chosen ones are swept out of the Gram matrix G and the projections b is
    b_j^2 / G_jj. Ties go to the lower column.
    """
    gram, projections = moments.gram, moments.projections
    floor = 1e-12 * np.diag(gram).max(initial=0)
    chosen: list[int] = []
    for _ in range(min(count, len(gram))):
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


def highest_weights(moments: Moments, count: int) -> IntArray:
    """The `count` columns with the largest |coefficient| in a ridge fit with alpha 0.01. Ties: the lower column."""
    coefficients, _ = moments.ridge(np.arange(len(moments.mean)), alpha=0.01)
    return np.argsort(-np.abs(coefficients), kind="stable")[:count]


def robust_covariance(
    samples: DoubleArray,
    residuals: DoubleArray,
    weights: DoubleArray,
    alpha: float,
    groups: IntArray,
    *,
    left_out: bool = False,
) -> DoubleArray:
    """(d, d) covariance of the coefficients of a weighted ridge, whatever the spread of the residuals.

    The sandwich A^-1 (sum_g u_g u_g^T) A^-1 with A = sum_i w_i z_i z_i^T + alpha I (z centred) and u_g the sum of
    w_i e_i z_i over the samples i of group g: White 1980, with clusters (Liang and Zeger 1986), e_i = residual_i /
    (1 - h_i) as in HC3 (MacKinnon and White 1985), h_i the leverage. `groups`: (n,) ids; samples of one group were not
    drawn independently. `left_out`: the residuals are of leave-one-out predictions already.
    """
    share = weights / weights.sum()
    centred = samples - share @ samples
    bread = np.linalg.inv(centred.T @ (centred * weights[:, None]) + alpha * np.eye(samples.shape[1]))
    reach = centred @ bread
    if not left_out:
        leverage = share + weights * np.einsum("nd,nd->n", reach, centred)
        residuals = residuals / np.maximum(1 - leverage, 0.05)
    influence = reach * (weights * residuals)[:, None]
    summed = np.zeros((int(groups.max()) + 1, samples.shape[1]))
    np.add.at(summed, groups, influence)
    return np.asarray(summed.T @ summed)
