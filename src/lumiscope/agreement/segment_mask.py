"""The mask rule of lime: the segments that matter most."""

from __future__ import annotations

import numpy as np

from lumiscope.types import BoolArray, DoubleArray, IntArray


def segment_mask(
    segments: IntArray,
    coefficients: DoubleArray,
    *,
    num_features: int = 10,
    min_weight: float = 0.0,
    positive_only: bool = True,
) -> BoolArray:
    """(H, W) bool: the first `num_features` segments by |coefficient|.

    `segments`: (H, W), ids 0..d-1. `coefficients`: (d,) of the target. With `positive_only` among those with a
    coefficient above `min_weight`; else, of the first, those with a |coefficient| of at least `min_weight`, but never
    0. Ties go to the lower segment id. Source: `get_image_and_mask` of lime 0.2.0.1.
    """
    order = np.argsort(-np.abs(coefficients), kind="stable")
    if positive_only:
        kept = order[coefficients[order] > max(min_weight, 0)][:num_features]
    else:
        strength = np.abs(coefficients[order[:num_features]])
        kept = order[:num_features][(strength >= min_weight) & (strength > 0)]
    return np.isin(segments, kept)
