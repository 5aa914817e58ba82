"""Metrics of hidden parts where the model is a sum over pixels, so that every value is known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.attribution import PreparedBatch
from lumiscope.images import Geometry
from lumiscope.trust import METRICS, Candidate, JudgedView, Undefined, curves_of
from lumiscope.trust.judged_view import region_sums

SIZE = 48


class SumBox:
    """A black box whose first score is a weighted sum of the pixels; the other is 0."""

    name, spec, fingerprint, classes, activation = "sum", "callable", "2" * 64, ("a", "b"), "softmax"
    geometry = Geometry((SIZE, SIZE), mode="squash")

    def __init__(self, weights):
        self.weights = weights

    def predict(self, views):
        pixels = views if isinstance(views, np.ndarray) else np.stack([view.pixels for view in views])
        first = np.einsum("nhwc,hwc->n", pixels.astype(np.float64), self.weights)
        return np.stack([first, np.zeros(len(first))], axis=1).astype(np.float32)


def pixels(block):
    """Squares of `block` pixels, each in a colour of its own."""
    side = SIZE // block
    colours = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return colours.repeat(block, axis=0).repeat(block, axis=1)


def judged(weights, view):
    model = SumBox(weights)
    prepared = PreparedBatch(model, [model.geometry.view(view, "squares")])
    return JudgedView(prepared, prepared.targets("predicted", [None])[0])


def view_and_map(block):
    """A view, and the map of what each pixel brings beyond the mean colour that hides it."""
    brings = pixels(block) - np.rint(pixels(block).mean(axis=(0, 1)))
    weights = 1e-7 * brings
    return judged(weights, pixels(block)), (brings * weights).sum(axis=2)


@pytest.fixture
def additive():
    view, brings = view_and_map(6)
    assert view.superpixels.max() > 30
    return view, brings


def value(name, view, candidate):
    return METRICS[name].measure(view, [candidate])[0]


def test_sensitivity_n_of_what_the_parts_bring_is_1(additive):
    view, brings = additive
    assert value("sensitivity_n", view, Candidate("map", brings)) == pytest.approx(1, abs=1e-4)
    assert value("sensitivity_n", view, Candidate("map", -brings)) == pytest.approx(-1, abs=1e-4)
    assert value("sensitivity_n", view, Candidate("map", 0 * brings)) == 0


def test_what_the_first_superpixels_bring_is_lost_without_them_and_kept_with_them(additive):
    view, brings = additive
    sums = np.sort(region_sums(brings, view.superpixels))[::-1] / brings.sum()
    counts = [max(round(share * len(sums)), 1) for share in (0.01, 0.05, 0.1, 0.2, 0.5)]
    expected = np.mean([sums[:count].sum() for count in counts])
    assert value("comprehensiveness", view, Candidate("map", brings)) == pytest.approx(expected, abs=1e-4)
    assert value("sufficiency", view, Candidate("map", brings)) == pytest.approx(1 - expected, abs=1e-4)


def test_superpixels_that_tie_are_hidden_as_a_whole(additive):
    """Nothing above the tie, and everything with it: what is lost is the mean of the shares hidden, k / n."""
    view, brings = additive
    count = int(view.superpixels.max()) + 1
    counts = [max(round(share * count), 1) for share in (0.01, 0.05, 0.1, 0.2, 0.5)]
    constant = Candidate("map", np.zeros_like(brings))
    assert value("comprehensiveness", view, constant) == pytest.approx(np.mean(counts) / count, abs=1e-4)


def test_the_model_is_asked_once_for_all_maps_and_subsets(additive):
    view, brings = additive
    asked = []
    scores = view.scores
    view.scores = lambda shown, count, *rest: asked.append(count) or scores(shown, count, *rest)
    for sign in (1, -1):
        METRICS["sensitivity_n"].measure(view, [Candidate("map", sign * brings)] * 2)
    assert sorted(asked) == [1, 6 * 30]


def test_a_map_that_says_nothing_has_the_best_average_drop(additive):
    view, brings = additive
    constant = Candidate("constant", np.ones_like(brings), lambda pictures: [np.ones((SIZE, SIZE))] * len(pictures))
    assert value("average_drop", view, constant) == 0
    assert value("average_increase", view, constant) == 0
    assert value("adcc", view, constant) == 0


def test_adcc_is_told_what_its_parts_are(additive):
    view, _ = additive
    half = np.zeros((SIZE, SIZE))
    half[: SIZE // 2] = 1
    steady = Candidate("half", half, lambda pictures: [3 * half + 1 for _ in pictures])
    drop = value("average_drop", view, steady)
    assert value("adcc", view, steady) == pytest.approx(3 / (1 / 1 + 1 / 0.5 + 1 / (1 - drop)))
    assert "no method" in value("adcc", view, Candidate("half", half)).reason


def test_road_fills_in_whole_numbers_for_a_black_box():
    """A line from dark to bright, with something else in the middle: hidden, the line is there again."""
    line = np.broadcast_to(np.arange(SIZE)[None, :, None] * 4 + 20, (SIZE, SIZE, 3)).astype(np.uint8)
    view = line.copy()
    view[:, 20:30] = 255
    shown = np.ones((1, SIZE, SIZE), bool)
    shown[:, :, 20:30] = False
    score = judged(np.full(line.shape, 1 / line.size), view).scores(lambda start, stop: shown, 1, "road")[0]
    assert score == pytest.approx(line.mean(), abs=0.1)


def test_road_of_parts_that_nobody_can_guess_from_their_neighbours():
    """Noise is filled by its neighbours' mean, which brings as much as the mean colour: the curves are alike."""
    view, brings = view_and_map(1)
    (filled,) = curves_of(view, [Candidate("map", brings)], "road", 10)
    (flat,) = curves_of(view, [Candidate("map", brings)], "mean", 10)
    assert len(filled.shares) == len(flat.shares) == 11
    assert value("road", view, Candidate("map", brings)) == filled.between
    assert filled.between > 0.9 * flat.between
    assert value("road", view, Candidate("map", -brings)) == pytest.approx(-filled.between, abs=1e-6)


def test_undefined_where_nothing_matters():
    view = judged(np.zeros((SIZE, SIZE, 3)), pixels(6))
    for name in ("road", "abpc_blur", "abpc_grey", "sensitivity_n", "comprehensiveness", "sufficiency"):
        assert isinstance(value(name, view, Candidate("map", np.eye(SIZE))), Undefined)


@pytest.mark.parametrize(("fall", "told"), [(0.09, False), (0.11, True)])
@pytest.mark.parametrize("name", ["deletion", "insertion", "abpc", "comprehensiveness", "sufficiency"])
def test_hiding_everything_must_lower_the_score_by_a_tenth(name, fall, told):
    brings = pixels(6) - np.rint(pixels(6).mean(axis=(0, 1)))
    view = judged(fall * brings / (brings**2).sum(), pixels(6))
    came = value(name, view, Candidate("map", (brings**2).sum(axis=2)))
    assert isinstance(came, Undefined) != told
    assert told or came.reason == "hiding everything changes the score by -0.09, and must lower it by 0.1"
