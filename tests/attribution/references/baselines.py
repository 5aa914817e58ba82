"""Maps that know nothing, pixel by pixel."""

from __future__ import annotations

import math

import numpy as np

from lumiscope.testing import replicates


@replicates("random")
def random(question):
    """One draw a pixel, row by row, from a generator with the image's seed."""
    generator = np.random.default_rng(question.seed)
    height, width = question.pixels.shape[:2]
    return np.array([[generator.random(dtype=np.float32) for _ in range(width)] for _ in range(height)])


def gaussian(size, sigma):
    values = np.zeros(size)
    width = sigma * min(size)
    for y, x in np.ndindex(*size):
        values[y, x] = math.exp(-((y + 0.5 - size[0] / 2) ** 2 + (x + 0.5 - size[1] / 2) ** 2) / (2 * width**2))
    return values


@replicates("gaussian", sigma=0.2)
def gaussian_of(question):
    return gaussian(question.pixels.shape[:2], question.options["sigma"])


REFERENCES = {"gaussian": gaussian}
