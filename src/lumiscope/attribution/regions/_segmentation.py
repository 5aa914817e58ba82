"""What is the same for every segmentation."""

from __future__ import annotations

import numpy as np

from lumiscope.types import FedArray, IntArray


def segment_means(pixels: FedArray, segments: IntArray) -> FedArray:
    """(H, W, 3) uint8: each segment in its mean colour, cut off (not rounded) to whole numbers, as lime does.

    Of (H, W, n) float32 bands: in its means.
    """
    ids = segments.ravel()
    counts = np.bincount(ids)
    channels = np.moveaxis(pixels, 2, 0)
    sums = np.stack([np.bincount(ids, channel.ravel().astype(float)) for channel in channels], axis=1)
    means = (sums / np.maximum(counts, 1)[:, None]).astype(pixels.dtype)
    return np.asarray(means[segments])
