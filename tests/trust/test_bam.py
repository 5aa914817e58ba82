"""BAM's three numbers on maps of known shares."""

from __future__ import annotations

import numpy as np

from lumiscope.trust import input_dependence, input_independence, model_contrast

OBJECT = np.zeros((4, 4), bool)
OBJECT[:, 0] = True  # a quarter of the view


def map_with(share: float) -> np.ndarray:
    """A map with this share of its positive values on the object."""
    return np.where(OBJECT, share / 4, (1 - share) / 12)


def test_model_contrast_is_the_difference_of_shares_per_area():
    contrast = model_contrast([map_with(0.75), map_with(0.25)], [map_with(0.25), map_with(0.5)], [OBJECT, OBJECT])
    np.testing.assert_allclose(contrast, [3 - 1, 1 - 2])


def test_model_contrast_does_not_depend_on_the_unit():
    maps = [map_with(0.75)]
    np.testing.assert_allclose(model_contrast([17 * maps[0]], maps, [OBJECT]), [0])


def test_input_dependence_counts_where_the_bare_scene_gets_more():
    covered = [map_with(0.25), map_with(0.5), map_with(0.25), -np.ones((4, 4))]
    bare = [map_with(0.5), map_with(0.25), map_with(0.25), map_with(0.5)]
    np.testing.assert_array_equal(input_dependence(covered, bare, [OBJECT] * 4), [1, 0, 0.5, np.nan])


def test_input_independence_allows_a_change_of_less_than_a_tenth():
    maps = [map_with(0.54), map_with(0.56), map_with(0.46), map_with(0.44)]
    without = [map_with(0.5)] * 4
    np.testing.assert_array_equal(input_independence(maps, without, [OBJECT] * 4), [1, 0, 1, 0])
