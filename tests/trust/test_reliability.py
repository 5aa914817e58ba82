"""Whether a metric means anything: alpha of the orders, and scores of maps made worse."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest

from lumiscope.statistics import mean_interval
from lumiscope.trust import Candidate, alpha_of_orders, baseline_maps, degraded, try_metric


def test_alpha_by_pairs():
    """1 less the mean squared difference of two images' ranks of a method over that of any two ranks."""
    scores = {
        "a": {"1": 0.3, "2": 0.5, "3": 0.1},
        "b": {"1": 0.2, "2": 0.6, "3": 0.0},
        "c": {"1": 0.9, "2": 0.7, "3": 0.4},
    }
    ranks = {"a": [2, 1, 2], "b": [1, 2, 1], "c": [3, 3, 3]}
    within = np.mean([(x - y) ** 2 for of in ranks.values() for x, y in itertools.combinations(of, 2)])
    everything = list(itertools.chain(*ranks.values()))
    between = np.mean([(x - y) ** 2 for x, y in itertools.combinations(everything, 2)])
    assert alpha_of_orders(scores) == pytest.approx(1 - within / between)


def test_alpha_is_1_for_one_order_and_near_0_for_chance():
    assert alpha_of_orders({"a": dict.fromkeys("xyz", 1.0), "b": dict.fromkeys("xyz", 2.0)}) == 1
    rng = np.random.default_rng(0)
    noise = {method: {str(image): float(rng.normal()) for image in range(300)} for method in "abcd"}
    assert abs(alpha_of_orders(noise)) < 0.05
    assert math.isnan(alpha_of_orders({"a": {"x": 1.0, "y": 2.0}})), "one method has no order"
    assert math.isnan(alpha_of_orders({"a": {"x": 1.0}, "b": {"x": 2.0}})), "one image agrees with itself"


def test_a_metric_that_falls_with_every_step_holds():
    trial = try_metric({}, [[5, 4, 3, 2, 1, 0]] * 12, higher=True)
    assert (trial.fall, trial.above_inverted, trial.reliability) == (1, 1, "holds")
    downwards = try_metric({}, [[0, 1, 2, 3, 4, 5]] * 12, higher=False)
    assert downwards.reliability == "holds"


def test_a_metric_that_does_not_notice_noise_is_meaningless():
    rng = np.random.default_rng(1)
    trial = try_metric({}, rng.normal(size=(60, 6)).tolist(), higher=True)
    assert abs(trial.fall) < 0.2
    assert trial.reliability == "meaningless"
    assert try_metric({}, rng.normal(size=(2, 6)).tolist(), higher=True).reliability == "unknown"
    assert try_metric({}, [], higher=True).reliability == "unknown"


def test_one_step_in_ten_the_wrong_way_is_a_tau_of_0_8():
    assert try_metric({}, [[5, 4, 3, 1, 2, 0]] * 3, higher=True).fall == pytest.approx(0.8)


def test_known_extremes_are_counted_with_ties_as_halves():
    """Four images: above random on 2 and level on 1 of 4; centred is unknown on one; the truth is above half of 11."""
    ladders = [[2, 1, 0], [2, 1, 0], [2, 1, 2], [2, 1, 3]]
    trial = try_metric({}, ladders, random=[1, 1, 2, 3], centred=[math.nan, 0, 3, 3], truest=[5, 1, 2, 1], higher=True)
    assert trial.above_inverted == pytest.approx((1 + 1 + 0.5 + 0) / 4)
    assert trial.above_random == pytest.approx((1 + 1 + 0.5 + 0) / 4)
    assert trial.above_centred == pytest.approx(1 / 3)
    beaten = [1, 0.5, 0.5, 0, *(1, 0, 0), *(1, 1, 0.5, 0)]  # random, centred, inverted
    assert trial.true_effect_above == pytest.approx(sum(beaten) / 11)
    low = try_metric({}, [[0, 1]], random=[1], centred=[2], truest=[-1], higher=False)
    assert (low.above_inverted, low.above_random, low.above_centred, low.true_effect_above) == (1, 1, 1, 1)
    assert math.isnan(try_metric({}, ladders, higher=True).above_random)


def test_degraded_maps_are_worse_by_known_degrees():
    values = np.add.outer(np.arange(20.0), np.arange(20.0) ** 1.5)
    steps = degraded(Candidate("m", values), seed=3)
    assert [step.name for step in steps] == ["m 25% noise", "m 50% noise", "m 75% noise", "m 100% noise", "m inverted"]
    likeness = [np.corrcoef(values.ravel(), step.values.ravel())[0, 1] for step in steps]
    assert all(before > after for before, after in itertools.pairwise(likeness))
    assert likeness[0] > 0.85
    assert likeness[-1] < -0.9
    for step in steps:
        np.testing.assert_array_equal(np.sort(step.values, axis=None), np.sort(values, axis=None), "in other places")


def test_a_number_that_sees_values_and_not_places_notices_nothing():
    """Spread of values, and mass of the highest tenth, of sparse blobs: nothing about where they are."""
    rows, columns = np.mgrid[:24, :24]
    ladders = []
    for seed in range(12):
        row, column = np.random.default_rng(seed).uniform(4, 20, 2)
        values = np.maximum(np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 20) - 0.1, 0)
        blind = [np.sort(step.values, axis=None)[-57:].sum() for step in degraded(Candidate("m", values), seed)]
        ladders.append([np.sort(values, axis=None)[-57:].sum(), *blind])
    trial = try_metric({}, ladders, higher=True)
    assert (trial.fall, trial.above_inverted, trial.reliability) == (0, 0.5, "meaningless")


def test_a_score_of_0_or_1_falls_as_well_as_another():
    assert try_metric({}, [[1, 1, 1, 0, 0, 0]] * 12, higher=True).reliability == "holds"


def test_baselines_know_nothing_of_the_picture_and_are_the_same_again():
    first, again, other = (baseline_maps((16, 24), seed) for seed in (1, 1, 2))
    assert [candidate.name for candidate in first] == ["random", "blob", "centred", "constant"]
    for candidate, same, another in zip(first, again, other, strict=True):
        assert candidate.values.shape == (16, 24)
        np.testing.assert_array_equal(candidate.values, same.values)
        assert np.array_equal(candidate.values, another.values) == (candidate.name in ("centred", "constant"))
    centred = first[2].values
    np.testing.assert_allclose(centred, centred[::-1, ::-1])


def test_all_noise_is_the_map_moved_by_a_quarter_to_three_quarters_of_each_side():
    """Of 16 rows and 8 columns: by 4 to 11 and by 2 to 5, each of which some of 200 seeds draw; not at all of 1."""
    values = np.random.default_rng(0).permutation(16 * 8).reshape(16, 8).astype(np.float64)
    places = np.array(np.unravel_index(values.argmax(), values.shape))
    shifts = set()
    for seed in range(200):
        noise = degraded(Candidate("m", values), seed)[3].values
        shift = tuple((np.unravel_index(noise.argmax(), noise.shape) - places) % values.shape)
        np.testing.assert_array_equal(noise, np.roll(values, shift, (0, 1)))
        shifts.add(shift)
    down, right = zip(*shifts, strict=True)
    assert (set(down), set(right)) == (set(range(4, 12)), set(range(2, 6)))
    assert degraded(Candidate("m", np.ones((1, 1))), 0)[3].values == 1


def test_the_interval_of_the_fall_is_that_of_a_mean_within_its_bounds_over_groups():
    """Three steps: in order, one pair of three the wrong way, two, and upside down; every picture has a twin."""
    ladders = [[2, 1, 0, 9], [2, 0, 1, 9], [0, 2, 1, 9], [0, 1, 2, 9], [2, 1, 0, 9]]
    falls, groups = [1, 1 / 3, -1 / 3, -1, 1], list("abcde")
    trial = try_metric({}, ladders * 2, higher=True, groups=groups * 2, seed=4)
    assert trial.fall == pytest.approx(np.mean(falls))
    assert (trial.low, trial.high) == mean_interval(np.array(falls * 2), bounds=(-1, 1), groups=groups * 2, seed=4)


@pytest.mark.parametrize(
    ("low", "fall", "high", "word"),
    [
        (0.1, 0.5, 0.9, "holds"),
        (0.1, 0.49, 0.9, "weak"),
        (0.0, 0.6, 0.9, "unknown"),
        (-0.1, 0.1, 0.19, "meaningless"),
        (-0.1, 0.1, 0.2, "unknown"),
        (0.05, 0.1, 0.19, "meaningless"),
    ],
)
def test_a_word_for_how_far_a_metric_falls(low, fall, high, word):
    """A gamma of 0.5 is three of four pairs of steps, and one of 0.2 three of five."""
    trial = dataclasses.replace(try_metric({}, [], higher=True), low=low, fall=fall, high=high)
    assert trial.reliability == word
