"""Segments of a view, for methods that explain by regions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lumiscope.types import ByteArray, IntArray


def quickshift_segments(pixels: ByteArray) -> IntArray:
    """(H, W) segment ids 0..d-1 of (H, W, 3) uint8 pixels.

    Quickshift (Vedaldi and Soatto 2008) with the constants of lime 0.2.0.1: kernel 4, maximal distance 200, ratio 0.2.
    """
    from skimage.segmentation import quickshift

    cluster: Callable[..., IntArray] = quickshift
    segments = cluster(pixels, kernel_size=4, max_dist=200, ratio=0.2)
    return np.unique(segments, return_inverse=True)[1].reshape(segments.shape).astype(np.int64)


def segment_means(pixels: ByteArray, segments: IntArray) -> ByteArray:
    """(H, W, 3) uint8: each segment in its mean colour, cut off (not rounded) to whole numbers, as lime does."""
    ids = segments.ravel()
    counts = np.bincount(ids)
    sums = np.stack([np.bincount(ids, pixels[..., channel].ravel().astype(float)) for channel in range(3)], axis=1)
    means = (sums / np.maximum(counts, 1)[:, None]).astype(np.uint8)
    return np.asarray(means[segments])
