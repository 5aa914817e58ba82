"""Overlap of masks: by hand, by simulation, and the bounds that hold for all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lumiscope.agreement import Overlap, overlap, overlap_with_truth
from lumiscope.errors import UsageError

SHAPES = st.shared(st.tuples(st.integers(1, 7), st.integers(1, 7)), key="shape")
MASKS = SHAPES.flatmap(lambda shape: arrays(np.bool_, shape))


def mask(*rows):
    return np.array(rows, bool)


def test_by_hand():
    # 1 common of 3; p = q = 1/2: chance (1/4) / (3/4) = 1/3, so this is exactly chance.
    assert overlap(mask([1, 1], [0, 0]), mask([1, 0], [1, 0])) == Overlap(1 / 3, 0.5, 0.5, 1 / 3, 1.0, 0.0)


def test_nested_masks_reach_the_ceiling():
    result = overlap(mask([1, 0, 0, 0]), mask([1, 1, 0, 0]))
    # p = 1/4, q = 1/2: chance (1/8) / (5/8).
    assert (result.iou, result.ceiling, result.chance, result.adjusted) == (0.5, 0.5, 0.2, 1.0)


def test_disjoint_masks_are_below_chance():
    result = overlap(mask([1, 1, 0, 0]), mask([0, 0, 1, 1]))
    assert (result.iou, result.chance, result.ceiling) == (0, 1 / 3, 1)
    assert result.adjusted == pytest.approx(-0.5)


@pytest.mark.parametrize(("p", "q"), [(0.2, 0.2), (0.1, 0.6), (0.5, 0.9)])
def test_chance_is_the_mean_iou_of_independent_masks(p, q):
    generator = np.random.default_rng(0)
    pairs = [(generator.random((60, 60)) < p, generator.random((60, 60)) < q) for _ in range(200)]
    expected = p * q / (p + q - p * q)
    results = [overlap(a, b) for a, b in pairs]
    assert np.mean([result.iou for result in results]) == pytest.approx(expected, abs=0.003)
    assert np.mean([result.chance for result in results]) == pytest.approx(expected, abs=0.003)
    assert np.mean([result.adjusted for result in results]) == pytest.approx(0, abs=0.02)


def test_two_empty_masks_are_undefined():
    result = overlap(mask([0, 0]), mask([0, 0]))
    assert (result.area_a, result.area_b, result.reason) == (0, 0, "both masks are empty")
    assert all(math.isnan(number) for number in (result.iou, result.chance, result.ceiling, result.adjusted))


def test_a_true_mask_of_which_nothing_is_seen_gives_no_iou():
    result = overlap_with_truth(mask([1, 0]), mask([0, 0]))
    assert (result.area_a, result.area_b, result.reason) == (0.5, 0, "nothing of the true mask is on the view")
    assert all(math.isnan(number) for number in (result.iou, result.chance, result.ceiling, result.adjusted))


def test_what_is_void_is_not_counted():
    """Of four known pixels the mask has two and the truth two, one of them common; the void ones are not looked at."""
    result = overlap_with_truth(mask([1, 1, 0, 0, 1, 1]), mask([0, 1, 1, 0, 0, 0]), mask([0, 0, 0, 0, 1, 1]))
    assert result == overlap(mask([1, 1, 0, 0]), mask([0, 1, 1, 0]))
    assert (result.iou, result.area_a, result.area_b) == (1 / 3, 0.5, 0.5)


def test_one_empty_mask_overlaps_nothing():
    for a, b, reason in [([0, 0], [1, 0], "mask a is empty"), ([1, 1], [0, 0], "mask b is empty")]:
        result = overlap(mask(a), mask(b))
        assert (result.iou, result.chance, result.ceiling, result.reason) == (0, 0, 0, reason)
        assert math.isnan(result.adjusted)


@pytest.mark.parametrize(("a", "b", "which"), [([1, 1, 1], [1, 0, 0], "a"), ([1, 1, 0], [1, 1, 1], "b")])
def test_a_full_mask_leaves_nothing_to_adjust(a, b, which):
    result = overlap(mask(a), mask(b))
    assert result.iou == result.chance == result.ceiling
    assert math.isnan(result.adjusted)
    assert result.reason == f"mask {which} covers the whole view, so chance is the ceiling"


@given(MASKS, MASKS)
def test_bounds_and_symmetry(a, b):
    result, other = overlap(a, b), overlap(b, a)
    assert (result.area_a, result.area_b) == (other.area_b, other.area_a)
    for name in ("iou", "chance", "ceiling", "adjusted"):
        np.testing.assert_equal(getattr(result, name), getattr(other, name))
    assert bool(result.reason) == math.isnan(result.adjusted)
    if a.any() or b.any():
        assert 0 <= result.iou <= result.ceiling <= 1
        assert 0 <= result.chance <= result.ceiling
        assert math.isnan(result.adjusted) or result.adjusted <= 1


@given(MASKS)
def test_a_mask_agrees_with_itself(a):
    if a.any():
        assert overlap(a, a).iou == 1


@pytest.mark.parametrize(
    ("a", "b", "came"),
    [
        (np.zeros((2, 3), bool), np.zeros((3, 2), bool), r"\(2, 3\) of bool and \(3, 2\) of bool"),
        (np.zeros((2, 3), bool), np.zeros((2, 3), np.float32), r"\(2, 3\) of float32"),
        (np.zeros((0, 3), bool), np.zeros((0, 3), bool), r"\(0, 3\)"),
    ],
)
def test_what_cannot_be_compared(a, b, came):
    with pytest.raises(UsageError, match=f"bool arrays of one shape.*{came}"):
        overlap(a, b)
