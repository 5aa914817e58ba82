"""What is the same for every segmentation."""

from __future__ import annotations

import numpy as np

from lumiscope.types import ByteArray, IntArray


def segment_means(pixels: ByteArray, segments: IntArray) -> ByteArray:
    """(H, W, 3) uint8: each segment in its mean colour, cut off (not rounded) to whole numbers, as lime does."""
    ids = segments.ravel()
    counts = np.bincount(ids)
    sums = np.stack([np.bincount(ids, pixels[..., channel].ravel().astype(float)) for channel in range(3)], axis=1)
    means = (sums / np.maximum(counts, 1)[:, None]).astype(np.uint8)
    return np.asarray(means[segments])
