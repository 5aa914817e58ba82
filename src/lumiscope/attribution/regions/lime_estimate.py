"""From samples to LIME's coefficients and what is known of their errors, for every design."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumiscope.attribution.regions._population import Population
from lumiscope.attribution.regions._surrogate import fit_surrogate
from lumiscope.attribution.regions.designs import Design
from lumiscope.attribution.regions.local_regression import (
    LinearFit,
    Moments,
    choose_columns,
    robust_covariance,
    weighted_r2,
    weighted_ridge,
)
from lumiscope.types import DoubleArray, IntArray

ALPHA = 1.0  # lime's penalty


@dataclass(frozen=True)
class Sampled:
    """What was seen of one class: (n, d) samples of 0 and 1, (n,) probabilities, (n,) kernel weights."""

    samples: DoubleArray
    values: DoubleArray
    weights: DoubleArray


@dataclass(frozen=True)
class Estimate:
    """The linear model of one class.

    `everything`: (d,) coefficients with all segments in the model, and their (d, d) `covariance`. `moments`: what a
    model with fewer segments is made from, with the penalty `alpha`.
    """

    data: Sampled
    design: Design
    moments: Moments
    alpha: float
    everything: DoubleArray
    covariance: DoubleArray

    @classmethod
    def of(cls, data: Sampled, design: Design) -> Estimate:
        """Estimate as the design wants it."""
        fit = weighted_ridge(data.samples, data.values, data.weights, ALPHA)
        if design.surrogate:
            return cls._with_surrogate(data, design, fit)
        residuals = data.values - fit.intercept - data.samples @ fit.coefficients
        covariance = _covariance(data, design, residuals)
        moments = Moments.of(data.samples, data.values, data.weights)
        return cls(data, design, moments, ALPHA, fit.coefficients, covariance)

    @classmethod
    def _with_surrogate(cls, data: Sampled, design: Design, fit: LinearFit) -> Estimate:
        """The surrogate's coefficients, corrected by what it leaves over as far as that is more than chance.

        The correction c, a ridge on the leave-one-out residuals, is shrunk by max(0, 1 - trace(V) / |c|^2), V its
        covariance (the positive part of James and Stein 1961): where the surrogate is good, nothing is added but noise.
        """
        surrogate = fit_surrogate(data.samples, data.values, data.weights, fit.coefficients)
        left_over = data.values - surrogate.predictions
        correction = weighted_ridge(data.samples, left_over, data.weights, ALPHA)
        residuals = left_over - correction.intercept - data.samples @ correction.coefficients
        covariance = _covariance(data, design, residuals)
        size = float(correction.coefficients @ correction.coefficients)
        share = max(0.0, 1 - float(np.trace(covariance)) / size) if size > 0 else 0.0
        everything = surrogate.coefficients + share * correction.coefficients
        population = Population.of(data.samples.shape[1])
        mean = np.full(data.samples.shape[1], population.mean)
        sampled = data.weights / data.weights.sum()
        offset = float(sampled @ data.values + (mean - sampled @ data.samples) @ everything)
        gram = data.weights.sum() * population.gram()
        return cls(data, design, Moments(gram, gram @ everything, mean, offset), 0.0, everything, covariance)

    def model(self, num_features: int) -> tuple[LinearFit, IntArray]:
        """The model with so many segments, chosen as lime does; and those segments."""
        kept = choose_columns(self.moments, num_features)
        coefficients, intercept = self.moments.ridge(kept, self.alpha)
        predictions = intercept + self.data.samples @ coefficients
        return LinearFit(coefficients, intercept, weighted_r2(self.data.values, predictions, self.data.weights)), kept

    def intervals(self, fit: LinearFit, kept: IntArray, confidence: float) -> DoubleArray:
        """(d, 2) lower and upper end for each kept segment of its model; NaN where a segment was dropped.

        They are about the coefficient that infinitely many samples would give, to which the penalty has no bias: the
        coefficients c of the ridge without their bias, c + alpha A^-1 c to first order (A as in `robust_covariance`),
        plus and minus t times the robust standard error; t of Student's distribution with as many degrees of freedom
        as there are independent samples beyond the coefficients.
        """
        from scipy.special import stdtrit

        data, centre = self.data, fit.coefficients[kept]
        if self.design.surrogate:
            gram = self.moments.gram
            onto = np.linalg.solve(gram[np.ix_(kept, kept)], gram[kept])
            covariance = self.covariance
        else:
            narrow = Sampled(data.samples[:, kept], data.values, data.weights)
            residuals = data.values - fit.intercept - data.samples @ fit.coefficients
            inverse = np.linalg.inv(self.moments.gram[np.ix_(kept, kept)] + self.alpha * np.eye(len(kept)))
            onto = np.eye(len(kept)) + self.alpha * inverse
            covariance = _covariance(narrow, self.design, residuals)
            centre = onto @ centre
        variances = np.einsum("kd,de,ke->k", onto, covariance, onto)
        groups = int(self.design.groups(len(data.values)).max()) + 1
        reach = stdtrit(max(groups - len(kept) - 1, 1), (1 + confidence) / 2) * np.sqrt(variances)
        ends = np.full((len(fit.coefficients), 2), np.nan)
        ends[kept] = centre[:, None] + reach[:, None] * np.array([-1.0, 1.0])
        return ends


def _covariance(data: Sampled, design: Design, residuals: DoubleArray) -> DoubleArray:
    groups = design.groups(len(residuals))
    return robust_covariance(data.samples, residuals, data.weights, ALPHA, groups)
