"""Where the maps of an image disagree."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lumiscope.types import DoubleArray, FloatArray


def disagreement(shown: Mapping[str, FloatArray]) -> FloatArray:
    """(H, W) float32 in [0, 1]: the standard deviation of the methods' ranks at each pixel, 1 being the most possible.

    `shown`: method -> (H, W) as displayed, at least one; ranks are shares of the pixels below, ties at their mean.
    """
    ranks = np.stack([_shares_below(values.ravel()) for values in shown.values()])
    shape = next(iter(shown.values())).shape
    return np.asarray(2 * ranks.std(axis=0), np.float32).reshape(shape)


def _shares_below(values: FloatArray) -> DoubleArray:
    """(n,): the share of values that are lower, those that are equal counting half."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - counts / 2)[places.ravel()] / len(values))
