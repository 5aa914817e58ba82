"""When LIME has seen enough: once the choice of the best segments is stable."""

from __future__ import annotations

import numpy as np

from lumiscope.types import BoolArray, DoubleArray

DRAWS = 400


def chosen_segments(coefficients: DoubleArray, count: int) -> BoolArray:
    """(..., d): the `count` largest positive of (..., d) coefficients; fewer where fewer are positive."""
    order = np.argsort(-coefficients, axis=-1, kind="stable")
    rank = np.argsort(order, axis=-1, kind="stable")
    return np.asarray((rank < count) & (coefficients > 0))


def stability(coefficients: DoubleArray, covariance: DoubleArray, count: int, seed: int) -> float:
    """The share of the chosen segments that another sample of the same size would choose as well, in [0, 1].

    The mean overlap of the choice with those of normal draws around the coefficients, relative to the larger of both;
    1 where neither chooses any.
    """
    generator = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(covariance)
    noise = generator.standard_normal((DRAWS, len(coefficients))) * np.sqrt(np.maximum(values, 0))
    drawn = chosen_segments(coefficients + noise @ vectors.T, count)
    chosen = chosen_segments(coefficients, count)
    sizes = np.maximum(drawn.sum(axis=1), chosen.sum())
    return float(np.where(sizes > 0, (drawn & chosen).sum(axis=1) / np.maximum(sizes, 1), 1.0).mean())


def block_ends(first: int, most: int) -> list[int]:
    """After how many samples to look: `first`, at least 50, then a third more each time, up to `most`."""
    ends = [min(max(first, 50), most)]
    while ends[-1] < most:
        ends.append(min(ends[-1] * 4 // 3, most))
    return ends
