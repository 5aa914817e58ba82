"""What takes the place of hidden segments: one picture of the view's size, from which they are cut."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lumiscope.attribution.hide_color import flat_picture
from lumiscope.attribution.regions._segmentation import segment_means
from lumiscope.types import DoubleArray, FedArray, IntArray

BLUR = 1 / 20  # of the longer side, the standard deviation
NEIGHBOURS = ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1]))  # the lower and the upper, the right and the left
Hide = Callable[[FedArray, IntArray, int], FedArray]


def hidden_picture(
    pixels: FedArray, segments: IntArray, hide: str, colour: int | tuple[int, int, int] | None, seed: int
) -> FedArray:
    """(H, W, 3) uint8, or (H, W, n) float32 of bands: what is seen where a segment is hidden.

    `hide`: "mean", the segment's own mean colour (cut off to whole numbers, as lime does); "color", `colour`; "blur", a
    Gaussian blur of the view with a standard deviation of 1/20 of its longer side; "noise", uniform in each pixel and
    channel, from `seed` (in each band's own range); "inpaint", see `inpainted`.
    """
    if hide == "color":
        return flat_picture(pixels, 0 if colour is None else colour)
    return HIDING[hide](pixels, segments, seed)


def _mean(pixels: FedArray, segments: IntArray, seed: int) -> FedArray:
    return segment_means(pixels, segments)


def _blur(pixels: FedArray, segments: IntArray, seed: int) -> FedArray:
    from scipy.ndimage import gaussian_filter

    width = BLUR * max(pixels.shape[:2])
    return _rounded(gaussian_filter(pixels.astype(np.float64), (width, width, 0), mode="reflect"), pixels)


def _noise(pixels: FedArray, segments: IntArray, seed: int) -> FedArray:
    # a stream of its own, so that the samples stay those of the other ways to hide
    generator = np.random.default_rng([seed, 1])
    if pixels.dtype != np.uint8:
        return np.asarray(generator.uniform(pixels.min((0, 1)), pixels.max((0, 1)), pixels.shape), pixels.dtype)
    return generator.integers(0, 256, pixels.shape, np.uint8)


def inpainted(pixels: FedArray, segments: IntArray, seed: int = 0) -> FedArray:
    """Each segment filled from the pixels around it by the harmonic equation (the mean of the four neighbours).

    One sparse system for all segments, as every segment has the picture's own pixels around it; biharmonic inpainting
    would be smoother, and takes minutes. A segment without any neighbour gets its mean colour.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import splu

    height, width = segments.shape
    number = np.arange(height * width).reshape(height, width)
    size, flat = height * width, pixels.reshape(-1, pixels.shape[2]).astype(np.float64)
    degree, known = np.zeros(size), np.zeros((size, pixels.shape[2]))
    rows, columns = [], []
    for after, before in NEIGHBOURS:
        first, second = number[after].ravel(), number[before].ravel()
        inside = segments[after].ravel() == segments[before].ravel()
        for here, there in ((first, second), (second, first)):
            degree[here] += 1
            known[here[~inside]] += flat[there[~inside]]
            rows.append(here[inside])
            columns.append(there[inside])
    borders = np.bincount(segments.ravel()[_on_border(segments).ravel()], minlength=int(segments.max()) + 1)
    alone = (borders == 0)[segments.ravel()]
    degree[alone] += 1
    known[alone] += segment_means(pixels, segments).reshape(-1, pixels.shape[2])[alone]
    row, column = np.concatenate([*rows, np.arange(size)]), np.concatenate([*columns, np.arange(size)])
    values = np.concatenate([np.full(len(row) - size, -1.0), degree])
    system = coo_matrix((values, (row, column)), shape=(size, size)).tocsc()
    return _rounded(splu(system).solve(known).reshape(pixels.shape), pixels)


def _on_border(segments: IntArray) -> DoubleArray:
    """(H, W) bool: pixels with a neighbour in another segment."""
    border = np.zeros(segments.shape, bool)
    for after, before in NEIGHBOURS:
        differs = segments[after] != segments[before]
        border[after] |= differs
        border[before] |= differs
    return border


def _rounded(values: DoubleArray, pixels: FedArray) -> FedArray:
    """The values as numbers of the kind that the `pixels` are."""
    if pixels.dtype != np.uint8:
        return np.asarray(values, pixels.dtype)
    return np.asarray(np.rint(np.clip(values, 0, 255)), np.uint8)


HIDING: dict[str, Hide] = {"mean": _mean, "blur": _blur, "noise": _noise, "inpaint": inpainted}
