"""How far maps move with the view, the scores and the seed, where it can be told beforehand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from lumiscope.attribution import PreparedBatch
from lumiscope.images import Geometry, View
from lumiscope.models import BlackBox
from lumiscope.trust import METRICS, Candidate, JudgedView, Undefined, baseline_maps
from lumiscope.trust.nearby import nearby_views

SIZE = (24, 32)


def brightness(pixels: np.ndarray) -> np.ndarray:
    """(N, 2) probabilities of a black box: the brighter, the more of the second class."""
    share = pixels.mean((1, 2, 3)) / 255
    return np.stack([1 - share, share], axis=1)


@pytest.fixture
def view() -> JudgedView:
    """A grey picture as a model sees it that can only predict."""
    box = BlackBox(brightness, Geometry(SIZE), activation="none")
    seen = View(np.full((*SIZE, 3), 100, np.uint8), "grey", (0, 0, 32, 24), SIZE)
    prepared = PreparedBatch(box, [seen])
    return JudgedView(prepared, prepared.targets("predicted", [None])[0])


def first_channel(pictures):
    return [np.asarray(picture[:, :, 0], np.float64) for picture in pictures]


def score(name: str, view: JudgedView, candidate: Candidate):
    return METRICS[name].measure(view, [candidate])[0]


def test_a_map_of_the_pixels_moves_as_they_do(view):
    """Noise of up to 5.1, rounded: its square is 8.82 on average, so 2.97 of 100."""
    candidate = Candidate("pixels", np.full(SIZE, 100.0), first_channel)
    each = np.random.default_rng(0).uniform(-5.1, 5.1, 10**6)
    assert abs(np.rint(each).std() - 2.97) < 0.01
    assert abs(score("mean_sensitivity", view, candidate) - 0.0297) < 0.001
    changes = [
        np.linalg.norm(picture[:, :, 0] - 100.0) / np.linalg.norm(candidate.values) for picture in nearby_views(view)
    ]
    assert score("mean_sensitivity", view, candidate) == pytest.approx(np.mean(changes))
    assert score("max_sensitivity", view, candidate) == pytest.approx(max(changes))


def test_the_unit_of_a_map_does_not_matter(view):
    candidate = Candidate("pixels", np.full(SIZE, 100.0), first_channel)
    doubled = Candidate(
        "doubled", 2 * candidate.values, lambda pictures: [2 * values for values in first_channel(pictures)]
    )
    for name in ("max_sensitivity", "mean_sensitivity", "relative_output_stability"):
        assert score(name, view, doubled) == pytest.approx(score(name, view, candidate))


def test_a_map_that_moves_as_the_scores_do_has_output_stability_1(view):
    def scores(pictures):
        return [np.asarray([brightness(picture[np.newaxis])[0]], np.float64) for picture in pictures]

    (values,) = scores([view.view.pixels])
    assert score("relative_output_stability", view, Candidate("scores", values, scores)) == pytest.approx(1, rel=1e-3)


def test_views_that_are_predicted_differently_do_not_count():
    """Of a coin that falls anew with every bit of noise nothing can be said."""
    box = BlackBox(lambda pixels: np.eye(2)[(pixels.astype(int) != 100).any((1, 2, 3)).astype(int)], Geometry(SIZE))
    seen = View(np.full((*SIZE, 3), 100, np.uint8), "grey", (0, 0, 32, 24), SIZE)
    prepared = PreparedBatch(box, [seen])
    view = JudgedView(prepared, prepared.targets("predicted", [None])[0])
    value = score("relative_output_stability", view, Candidate("pixels", np.full(SIZE, 100.0), first_channel))
    assert value == Undefined("every view nearby is predicted differently")


def test_every_method_is_asked_once_about_the_same_views(view):
    asked: dict[str, list[np.ndarray]] = {"a": [], "b": []}

    def explainer(name):
        def explain(pictures):
            asked[name].append(np.stack(pictures))
            return first_channel(pictures)

        return explain

    candidates = [Candidate(name, np.full(SIZE, 100.0), explainer(name)) for name in asked]
    for name in ("max_sensitivity", "mean_sensitivity", "relative_output_stability"):
        METRICS[name].measure(view, candidates)
    assert [len(calls) for calls in asked.values()] == [1, 1]
    assert np.array_equal(asked["a"][0], asked["b"][0])
    assert asked["a"][0].shape == (10, *SIZE, 3)
    assert asked["a"][0].dtype == np.uint8
    assert np.abs(asked["a"][0].astype(int) - 100).max() == 5


def test_noise_keeps_to_the_range_of_pixels_and_of_bands(view):
    prepared, (seen,) = view.prepared, view.prepared.views
    white = JudgedView(prepared, view.target)
    white.view = seen.fed_with(np.full((*SIZE, 3), 254, np.uint8))
    assert set(np.unique(nearby_views(white))) == set(range(249, 256))
    bands = np.stack([np.linspace(0, top, SIZE[0] * SIZE[1]).reshape(SIZE) for top in (1, 1000)], axis=2)
    banded = JudgedView(prepared, view.target)
    banded.view = dataclasses.replace(seen, bands=bands.astype(np.float32))
    moved = nearby_views(banded) - banded.view.fed
    assert nearby_views(banded).dtype == np.float32
    np.testing.assert_allclose(np.abs(moved).max((0, 1, 2)), [0.02, 20], rtol=0.01)


def test_a_map_that_knows_nothing_is_perfectly_stable(view):
    for baseline in baseline_maps(SIZE, seed=0):
        assert score("max_sensitivity", view, baseline) == 0
        assert score("relative_output_stability", view, baseline) == 0


@pytest.mark.parametrize(
    ("seeds", "expected"), [((1, 1), 1), ((-1, 1), -1 / 3), ((-1, -1), -1 / 3), ((0, 0), 0), ((1, math.nan), 1)]
)
def test_seeds(view, seeds, expected):
    """A map, the same times what stands there under either further seed: mean over the three pairs.

    A constant orders nothing (0), two are not compared, and neither is one that is undefined.
    """
    values = np.arange(SIZE[0] * SIZE[1], dtype=float).reshape(SIZE)
    candidate = Candidate("drawn", values, first_channel, lambda number: values * seeds[number - 1])
    assert score("seed_stability", view, candidate) == pytest.approx(expected)


def test_random_maps_differ_under_every_seed_and_what_is_not_drawn_has_none(view):
    scores = {baseline.name: score("seed_stability", view, baseline) for baseline in baseline_maps(SIZE, seed=0)}
    assert abs(scores["random"]) < 4 / math.sqrt(3 * 14 * 14)  # four standard errors
    assert scores["centred"] == scores["constant"] == Undefined("1 by construction: the method draws nothing")
    alone = score("seed_stability", view, Candidate("alone", np.ones(SIZE)))
    assert alone == Undefined("only the map is known, not what makes it")


@pytest.mark.parametrize("undefined", [0, 9])
def test_a_view_nearby_without_a_map_leaves_no_score(view, undefined):
    def explain(pictures):
        maps = first_channel(pictures)
        maps[undefined] = np.full(SIZE, math.nan)
        return maps

    candidate = Candidate("pixels", np.full(SIZE, 100.0), explain)
    for name in ("max_sensitivity", "mean_sensitivity", "relative_output_stability"):
        assert score(name, view, candidate) == Undefined("the map of a view nearby is undefined")


@pytest.mark.parametrize(("units", "moves"), [(8, False), (10, True)])
def test_scores_that_move_by_less_than_a_millionth_do_not_move(units, moves):
    """Of a score of 1, by units of 2^-23, the least that float32 can tell from it: 8 are 0.95e-6, 10 are 1.19e-6."""
    box = BlackBox(
        lambda pixels: np.outer(1 + units * 2.0**-23 * (pixels != 100).any((1, 2, 3)), [1, 0]),
        Geometry(SIZE),
        activation="none",
    )
    prepared = PreparedBatch(box, [View(np.full((*SIZE, 3), 100, np.uint8), "grey", (0, 0, 32, 24), SIZE)])
    view = JudgedView(prepared, prepared.targets("predicted", [None])[0])
    candidate = Candidate("pixels", np.full(SIZE, 100.0), first_channel)
    stability = score("relative_output_stability", view, candidate)
    if moves:
        most = score("max_sensitivity", view, candidate)
        assert stability == pytest.approx(most / (units * 2.0**-23))
    else:
        assert stability == Undefined("no view nearby changes the scores")
