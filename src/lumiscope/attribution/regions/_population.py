"""LIME's weighted linear model in the population: what infinitely many samples would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from lumiscope.types import DoubleArray

KERNEL_WIDTH = 0.25


def proximity(samples: DoubleArray) -> DoubleArray:
    """(n,) kernel weights sqrt(exp(-D^2 / 0.25^2)), D = 1 - sqrt(shown / segments): cosine distance to row 0."""
    return kernel_weights(samples.mean(axis=1))


def kernel_weights(shown: DoubleArray) -> DoubleArray:
    """The kernel weight of samples that show these shares of the segments."""
    distance = 1 - np.sqrt(shown)
    return np.asarray(np.sqrt(np.exp(-(distance**2) / KERNEL_WIDTH**2)))


@dataclass(frozen=True)
class Population:
    """Moments of uniform samples z of {0, 1}^d under the kernel w, which depends on the number k of ones alone.

    `weights`: (d + 1,) w of k = 0..d. `total`: E[w]. `mean`: E[w z_j] / E[w]. The weighted covariance of z is
    `spread` I + `shared` 11^T, as the segments are exchangeable.
    """

    weights: DoubleArray
    total: float
    mean: float
    spread: float
    shared: float

    @classmethod
    def of(cls, segments: int) -> Population:
        """The population of d segments."""
        shown = np.arange(segments + 1)
        weights = kernel_weights(shown / segments)
        binomial = gammaln(segments + 1) - gammaln(shown + 1) - gammaln(segments - shown + 1) - segments * np.log(2)
        share = weights * np.exp(binomial)
        total = float(share.sum())
        mean = float(share @ shown / segments / total)
        both = float(share @ (shown * (shown - 1)) / max(segments * (segments - 1), 1) / total)
        return cls(weights, total, mean, mean - both, both - mean**2)

    def gram(self) -> DoubleArray:
        """(d, d) weighted covariance of z."""
        segments = len(self.weights) - 1
        if segments == 1:
            return np.full((1, 1), self.spread + self.shared)
        return self.spread * np.eye(segments) + self.shared

    def means(self, shown: DoubleArray, hidden: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
        """E[w g] / E[w] and E[w z_j g] / E[w] of n products g(z) = prod_j h_j(z_j); exact.

        `shown`, `hidden`: (n, d) the factors h_j(1), h_j(0) >= 0, not both 0. Returns (n,) and (n, d). The sum over all
        z with k ones is the coefficient of v^k of prod_j (h_j(0) + h_j(1) v), read off at roots of unity (an odd
        number of them, so that no factor vanishes).
        """
        count = len(self.weights) + 1 - len(self.weights) % 2
        roots = np.exp(2j * np.pi * np.arange(count) / count)
        powers = np.arange(len(self.weights))
        kernel = (self.weights * roots[:, None] ** -powers).sum(axis=1) / count / self.total
        mean = np.empty(len(shown))
        with_segment = np.empty(shown.shape)
        for start in range(0, len(shown), 64):
            rows = slice(start, start + 64)
            ones = shown[rows, None] * roots[:, None] / 2
            factors = hidden[rows, None] / 2 + ones
            products = kernel * factors.prod(axis=2)
            mean[rows] = products.sum(axis=1).real
            with_segment[rows] = np.einsum("nm,nmd->nd", products, ones / factors).real
        return mean, with_segment
