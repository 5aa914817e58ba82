"""Each rule against masks that can be read off the map, its ties, and maps that have nothing to show."""

from __future__ import annotations

import dataclasses
import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.filters import threshold_otsu

from lumiscope.agreement import MASK_RULES, make_mask, segment_mask
from lumiscope.attribution.regions.region_options import RegionOptions
from lumiscope.errors import UsageError
from lumiscope.types import SaliencyMap, Target

SIDES = st.tuples(st.integers(1, 9), st.integers(1, 9))
WHOLE_MAPS = arrays(np.float32, SIDES, elements=st.integers(-30, 30).map(float))


def free_map(values):
    return SaliencyMap("cat.png", "gradcam", Target(0, "cat", 1.0, 0.5), values)


def ones(mask):
    return mask.astype(int).tolist()


# One example of each registered rule, by name: the rule, and the mask it makes of the map or segments below.
VALUES = [[9, 1, 5], [4, 0, 3]]
SEGMENTS, COEFFICIENTS = [[0, 0, 1], [2, 3, 3]], [0.5, -0.9, 0.1, 0.7]
EXAMPLES = {
    "top": ("top:50%", [[1, 0, 1], [1, 0, 0]]),
    "max": ("max:0.5", [[1, 0, 1], [0, 0, 0]]),
    "otsu": ("otsu", [[1, 0, 0], [0, 0, 0]]),
    "lime": ("lime", [[1, 1, 0], [0, 1, 1]]),
}


def test_every_rule_has_an_example():
    assert set(EXAMPLES) == set(MASK_RULES)


@pytest.mark.parametrize("name", list(MASK_RULES))
def test_example(name, make_map, make_segment_map):
    rule, expected = EXAMPLES[name]
    segments = MASK_RULES[name].needs_segments
    saliency = make_segment_map(SEGMENTS, COEFFICIENTS, num_features=2) if segments else make_map(VALUES)
    mask = make_mask(saliency, rule)
    assert mask.dtype == np.bool_
    assert ones(mask) == expected


@pytest.mark.parametrize("rule", [rule.form for rule in MASK_RULES.values()])
@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_a_broken_map_has_an_empty_mask(rule, broken, make_segment_map):
    saliency = make_segment_map([[0, 1], [1, 1]], [1.0, 0.5], num_features=2)
    assert make_mask(saliency, rule).any()
    saliency.values[0, 1] = broken
    mask = make_mask(saliency, rule)
    assert mask.shape == (2, 2)
    assert not mask.any()


def test_a_broken_picture_has_an_empty_mask(make_map):
    assert not make_mask(make_map([[1, 2]], shown=[[1, math.nan]]), "top:50%").any()


@pytest.mark.parametrize("rule", [rule.form for rule in MASK_RULES.values()])
def test_a_map_of_zeros_has_an_empty_mask(rule, make_segment_map):
    assert not make_mask(make_segment_map([[0, 1], [1, 1]], [0.0, 0.0], num_features=2), rule).any()


def test_top_ties_go_to_the_earlier_pixel(make_map):
    assert ones(make_mask(make_map([[0, 7, 7], [7, 7, 9]]), "top:50%")) == [[0, 1, 1], [0, 0, 1]]


def test_top_may_cut_a_segment_and_fills_with_zeros(make_segment_map, make_map):
    saliency = make_segment_map([[0, 1], [0, 1], [0, 1], [0, 1]], [0.2, 0.1], num_features=2)
    assert ones(make_mask(saliency, "top:25%")) == [[1, 0], [1, 0], [0, 0], [0, 0]]
    assert ones(make_mask(make_map([[0, 0, 0, 5]]), "top:50%")) == [[1, 0, 0, 1]]


def test_top_keeps_at_least_one_pixel_and_ranks_below_zero(make_map):
    assert ones(make_mask(make_map(VALUES), "top:1%")) == [[1, 0, 0], [0, 0, 0]]
    assert ones(make_mask(make_map([[-3, -1], [-2, -4]]), "top:50%")) == [[0, 1], [1, 0]]


@given(WHOLE_MAPS, st.integers(1, 100))
def test_top_has_exactly_its_area_and_nothing_better_is_left_out(values, percent):
    mask = make_mask(free_map(values), f"top:{percent}%")
    if values.min() == values.max():
        assert not mask.any()
    else:
        assert mask.sum() == max(1, round(percent / 100 * values.size))
        assert mask.all() or values[mask].min() >= values[~mask].max()


@given(WHOLE_MAPS, st.integers(1, 100))
def test_top_depends_on_the_order_only(values, percent):
    # Cubes of whole numbers up to 30 are exact in float32, so the transform is strictly monotone.
    masks = [make_mask(free_map(array), f"top:{percent}%") for array in (values, values**3 + 5)]
    np.testing.assert_array_equal(*masks)


def test_max_includes_equality_and_looks_at_the_picture(make_map):
    assert ones(make_mask(make_map([[8, 4], [3.9, -8]]), "max:0.5")) == [[1, 1], [0, 0]]
    assert ones(make_mask(make_map([[8, 4]], shown=[[0.1, 1.0]]), "max:0.5")) == [[0, 1]]
    assert not make_mask(make_map([[-1, -2]]), "max:0.5").any()


@given(WHOLE_MAPS, st.integers(1, 100), st.integers(1, 100))
def test_a_higher_fraction_of_the_maximum_keeps_less(values, percentage, other):
    low, high = (make_mask(free_map(values), f"max:{percent}%") for percent in sorted([percentage, other]))
    assert (low | ~high).all()


def test_otsu_parts_two_humps(make_map):
    generator = np.random.default_rng(0)
    truth = np.zeros((40, 40), bool)
    truth[5:20, 10:30] = True
    values = np.where(truth, generator.normal(0.8, 0.05, truth.shape), generator.normal(0.2, 0.05, truth.shape))
    # The threshold is the centre of a bin at the edge of a hump, so a pixel of that bin may fall on the wrong side.
    assert (make_mask(make_map(values, shown=values), "otsu") ^ truth).sum() <= 1


def test_otsu_is_that_of_skimage(make_map):
    saliency = make_map(np.random.default_rng(0).normal(size=(30, 30)))
    np.testing.assert_array_equal(make_mask(saliency, "otsu"), saliency.display() > threshold_otsu(saliency.display()))


def test_otsu_of_a_constant_and_of_a_nearly_constant_map(make_map):
    assert not make_mask(make_map([[2, 2], [2, 2]]), "otsu").any()
    step = np.nextafter(np.float32(1), np.float32(0))
    assert ones(make_mask(make_map([[1, 1]], shown=[[1, step]]), "otsu")) == [[1, 0]]


def test_lime_keeps_the_segments_that_speak_for_the_target(make_segment_map):
    generator = np.random.default_rng(0)
    saliency = make_segment_map(generator.integers(0, 20, (16, 16)), generator.normal(size=20), num_features=4)
    kept = [segment for segment in np.argsort(-saliency.coefficients)[:4] if saliency.coefficients[segment] > 0]
    np.testing.assert_array_equal(make_mask(saliency, "lime"), np.isin(saliency.segments, kept))


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"num_features": 2}, [0, 2]),
        ({"num_features": 2, "min_weight": 0.3}, [2]),
        ({"num_features": 2, "positive_only": False}, [1, 2]),
        ({"num_features": 5, "positive_only": False, "min_weight": 0.5}, [1, 2]),
        ({}, [0, 2, 3]),
        ({"another": 1}, [0, 2, 3]),
    ],
)
def test_lime_follows_the_options_that_the_map_was_made_with(make_segment_map, options, kept):
    """Whatever method made it, and also where the method has no such options."""
    saliency = make_segment_map([range(5)], [0.2, -0.9, 0.5, 0.2, 0.0], num_features=0, method="a stranger's")
    saliency = dataclasses.replace(saliency, options=options)
    assert np.flatnonzero(make_mask(saliency, "lime")[0]).tolist() == kept


def test_segments_take_places_by_size_and_ties_by_id():
    segments, coefficients = np.arange(5)[None], np.array([0.2, -0.9, 0.5, 0.2, 0.0])
    for count, kept in ((2, [0, 2]), (3, [0, 2, 3]), (9, [0, 2, 3])):
        mask = segment_mask(segments, coefficients, num_features=count)
        assert np.flatnonzero(mask[0]).tolist() == kept


def test_the_rules_usual_values_are_those_of_the_options():
    parameters = inspect.signature(segment_mask).parameters
    for option in dataclasses.fields(RegionOptions):
        if option.name in parameters:
            assert option.default == parameters[option.name].default


def test_lime_needs_segments(make_map):
    with pytest.raises(UsageError, match=r"gradcam for cat.png has none. Rules that fit: top:20%, max:0.5, otsu\."):
        make_mask(make_map([[1, 2]]), "lime")
