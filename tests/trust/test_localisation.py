"""Localisation metrics on maps whose scores follow from their making."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.testing import _networks as networks
from lumiscope.testing.metrics import judged_view
from lumiscope.trust import METRICS, Candidate, JudgedView, Undefined

HEIGHT, WIDTH = networks.SIZE  # 24 x 32
ALL = ["pointing_game", "energy", "mass_accuracy", "rank_accuracy", "mask_iou"]


def view_with(truth: np.ndarray | None) -> JudgedView:
    view = judged_view(networks.plain_model(), 0)
    view.truth = truth
    return view


def score(name: str, truth: np.ndarray | None, values: np.ndarray) -> float | Undefined:
    return METRICS[name].measure(view_with(truth), [Candidate("map", np.asarray(values, np.float64))])[0]


@pytest.fixture
def left_quarter() -> np.ndarray:
    truth = np.zeros((HEIGHT, WIDTH), bool)
    truth[:, : WIDTH // 4] = True
    return truth


@pytest.mark.parametrize(
    ("name", "perfect", "inverted", "constant"),
    [
        # With the border of 15/224 of 24 pixels, 1.6, one more column counts as a hit.
        ("pointing_game", 1, 1 / 24, 9 / 32),
        ("energy", 4, 0, 1),
        ("mass_accuracy", 1, 0, 1 / 4),
        ("rank_accuracy", 1, 0, 1 / 4),
        ("mask_iou", 1, 0, None),
    ],
)
def test_the_truth_itself_its_inverse_and_a_constant(left_quarter, name, perfect, inverted, constant):
    assert score(name, left_quarter, left_quarter) == pytest.approx(perfect)
    assert score(name, left_quarter, ~left_quarter) == pytest.approx(inverted)
    if constant is not None:
        assert score(name, left_quarter, np.ones((HEIGHT, WIDTH))) == pytest.approx(constant)


def test_a_plateau_hits_with_the_share_that_does(left_quarter):
    values = np.zeros((HEIGHT, WIDTH))
    values[0, [0, 20, 30]] = 1
    assert score("pointing_game", left_quarter, values) == pytest.approx(1 / 3)


def test_the_tolerance_is_that_of_the_views_size(left_quarter):
    """15/224 of the shorter side, 24 pixels: 1.6."""
    hits = []
    for column in (8, 9, 10):
        values = np.zeros((HEIGHT, WIDTH))
        values[3, column] = 1
        hits.append(score("pointing_game", left_quarter, values))
    assert hits == [1, 0, 0]


def test_half_of_the_mass_on_a_quarter_is_twice_as_much_as_by_chance(left_quarter):
    values = np.where(left_quarter, 3.0, 1.0)  # 3 · ¼ of 3 · ¼ + 1 · ¾
    assert score("mass_accuracy", left_quarter, values) == pytest.approx(1 / 2)
    assert score("energy", left_quarter, values) == pytest.approx(2)
    assert score("energy", left_quarter, np.where(left_quarter, 3.0, -1.0)) == pytest.approx(4)


def test_ties_count_as_is_expected():
    """Two pixels of truth, one sure hit; the second of four that tie, of which one is right: 1 + ¼ hits."""
    truth, values = np.zeros((HEIGHT, WIDTH), bool), np.zeros((HEIGHT, WIDTH))
    truth[0, :2] = True
    values[0, 0] = 2
    values[0, 1:5] = 1
    assert score("rank_accuracy", truth, values) == pytest.approx((1 + 1 / 4) / 2)
    assert score("mask_iou", truth, values) == pytest.approx(1 / 4 * 1 + 3 / 4 * (1 / 3))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("truth", "reason"),
    [
        (None, "nobody said"),
        (np.zeros((HEIGHT, WIDTH), bool), "nothing of the object"),
        (np.ones((HEIGHT, WIDTH), bool), "fills the view"),
    ],
)
def test_where_no_map_could_hit_or_miss_nothing_is_said(name, truth, reason):
    value = score(name, truth, np.random.default_rng(0).random((HEIGHT, WIDTH)))
    assert isinstance(value, Undefined)
    assert reason in value.reason


@pytest.mark.parametrize("name", ["energy", "mass_accuracy"])
def test_a_map_without_positive_values_has_no_mass(left_quarter, name):
    assert score(name, left_quarter, -np.ones((HEIGHT, WIDTH))) == Undefined("the map is nowhere positive")
