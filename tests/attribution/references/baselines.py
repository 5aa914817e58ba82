"""Maps that know nothing, pixel by pixel."""

from __future__ import annotations

import math
import random as plain

import numpy as np


def random(size, seed):
    """(H, W) of another generator: the same distribution, not the same draws."""
    source = plain.Random(seed)
    return np.array([[source.random() for _ in range(size[1])] for _ in range(size[0])])


def gaussian(size, sigma):
    values = np.zeros(size)
    width = sigma * min(size)
    for y, x in np.ndindex(*size):
        values[y, x] = math.exp(-((y + 0.5 - size[0] / 2) ** 2 + (x + 0.5 - size[1] / 2) ** 2) / (2 * width**2))
    return values


REFERENCES = {"random": random, "gaussian": gaussian}
