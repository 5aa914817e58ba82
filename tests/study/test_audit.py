"""The clusters of a class's maps: what they share, beside all other maps."""

from __future__ import annotations

import math

import numpy as np

from lumiscope.study.stages.audit import _clusters


def in_corner(share: float) -> np.ndarray:
    """A map with a share of its weight in the first cell, the rest in the last."""
    shares = np.zeros((14, 14))
    shares[0, 0], shares[-1, -1] = share, 1 - share
    return shares


def test_a_cluster_stands_beside_all_other_maps_of_the_method():
    """Three maps of a class lie in one of 196 cells; of two others a quarter and a half do."""
    of_class = {image: in_corner(1.0) for image in "abc"}
    everything = sum(of_class.values()) + in_corner(0.25) + in_corner(0.5)
    (row,) = _clusters("m", "gradcam", "fish", of_class, everything, 5)
    assert (row.cluster, row.images, row.of, row.place) == (1, 3, 3, "upper left corner")
    assert (row.area, row.weight, row.others) == (1 / 196, 1.0, 0.375)
    (alone,) = _clusters("m", "gradcam", "fish", of_class, sum(of_class.values()), 3)
    assert math.isnan(alone.others)
    assert not list(_clusters("m", "gradcam", "fish", {"a": in_corner(1.0)}, everything, 5))
