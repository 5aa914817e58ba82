"""Noise of which images of one class share a part."""

from __future__ import annotations

import math

import numpy as np

from lumiscope.types import DoubleArray, IntArray


def class_noise(rng: np.random.Generator, classes: IntArray) -> DoubleArray:
    """(n,) standard normal; a third of the variance is that of the class, where images share one."""
    shared = rng.normal(0, 1, int(classes.max()) + 1)[classes]
    return np.asarray(math.sqrt(1 / 3) * shared + math.sqrt(2 / 3) * rng.normal(0, 1, len(classes)))
