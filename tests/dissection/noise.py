"""Noise on images that are not exchangeable, and labels of it; for tests."""

from __future__ import annotations

import numpy as np

from lumiscope.dissection import EvidenceOptions, KnownImages, label_units

QUICK = EvidenceOptions(draws=300, resamples=10)
UNITS, CONCEPTS = 60, 40
NOTHING = KnownImages()


def labelled(activations, scores, images=NOTHING, similarity="pearson"):
    return label_units(activations, scores, model="m", layer="l", similarity=similarity, options=QUICK, images=images)


def noise(images, seed=0):
    rng = np.random.default_rng(seed)
    return rng, rng.normal(size=(images, UNITS)), rng.normal(size=(images, CONCEPTS))


def by_class(rng, classes, images, width):
    """Each class has a value of its own in each column; classes one after the other."""
    return np.repeat(rng.normal(size=(classes, width)), images // classes, axis=0)


def weak(columns, share, rng):
    """Columns of variance 1, of which a share is as given and the rest noise."""
    return np.sqrt(share) * columns + np.sqrt(1 - share) * rng.normal(size=columns.shape)
