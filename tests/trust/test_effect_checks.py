"""Checks on true effects, with things and answers that are given."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.testing import _networks as networks
from lumiscope.testing.metrics import judged_view
from lumiscope.trust import METRICS, Candidate, JudgedView, Score, TrueEffects, Undefined

HEIGHT, WIDTH = networks.SIZE
NAMES = ("fish", "sky", "grass", "cloud")


def view_of_quarters(drops: list[float], needed: str = "fish", asked: list[frozenset[str]] | None = None) -> JudgedView:
    """Four things, side by side; the answer is the class as long as `needed` is there."""
    view = judged_view(networks.plain_model(), 0)
    index = view.target.index
    regions = np.zeros((4, HEIGHT, WIDTH), bool)
    for number in range(4):
        regions[number, :, number * WIDTH // 4 : (number + 1) * WIDTH // 4] = True

    def scores_without(left_out: frozenset[str]) -> np.ndarray:
        if asked is not None:
            asked.append(left_out)
        return np.eye(len(view.prepared.model.classes))[index + (needed in left_out)]

    view.effects = TrueEffects(NAMES, ("object", "part", "part", "part"), regions, np.array(drops), scores_without)
    return view


def on_quarters(*levels: float) -> Candidate:
    return Candidate("map", np.repeat(np.repeat(levels, WIDTH // 4)[np.newaxis], HEIGHT, axis=0).astype(float))


def scores(name: str, view: JudgedView, *candidates: Candidate) -> list[Score]:
    return list(METRICS[name].measure(view, candidates))


@pytest.mark.parametrize(
    ("levels", "deleted", "preserved"),
    [
        ((1, 0, 0, 0), 1, 1),  # the fish alone is important
        ((0, 1, 0, 0), 0, 0),
        ((1, 1, 0, 0), 1, 1),
        ((1, 1, 1, 1), 0, 0),  # nothing stands out: nothing is important
        ((3, 2, 2, 1), 1, 1),  # 3 of 8 on a quarter: 1.5 times its share
        ((2.9, 2, 2, 1.1), 0, 0),
        ((-1, -1, -1, -1), 0, 0),
    ],
)
def test_without_what_is_important_the_answer_goes_and_with_it_alone_it_stays(levels, deleted, preserved):
    view = view_of_quarters([1, 0, 0, 0])
    assert scores("deletion_check", view, on_quarters(*levels)) == [deleted]
    assert scores("preservation_check", view, on_quarters(*levels)) == [preserved]


def test_the_same_picture_is_made_once():
    asked: list[frozenset[str]] = []
    view = view_of_quarters([1, 0, 0, 0], asked=asked)
    maps = [on_quarters(1, 0, 0, 0), on_quarters(2, 0, 0, 0)]
    for name in ("deletion_check", "preservation_check"):
        scores(name, view, *maps)
    assert len(asked) == len(set(asked)) == 3  # everything there, without the fish, without all else


def test_of_a_class_that_is_not_the_answer_nothing_is_checked():
    view = view_of_quarters([1, 0, 0, 0])
    effects = view.effects
    view.effects = TrueEffects(effects.names, effects.kinds, effects.regions, effects.drops, lambda names: np.eye(9)[8])
    (score,) = scores("deletion_check", view, on_quarters(1, 0, 0, 0))
    assert score == Undefined("the class is not the model's answer")


def test_where_pictures_cannot_be_made_nothing_is_checked():
    view = view_of_quarters([1, 0, 0, 0])
    effects = view.effects
    view.effects = TrueEffects(effects.names, effects.kinds, effects.regions, effects.drops)
    (score,) = scores("preservation_check", view, on_quarters(1, 0, 0, 0))
    assert isinstance(score, Undefined)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((2, 1, 0, 0), 1),
        ((0, 1, 0, 0), 0),
        ((1, 1, 0, 0), 1 / 2),
    ],
)
def test_contrast_compares_what_speaks_for_with_what_speaks_against(levels, expected):
    """The grass and the cloud do less than 5 % of what the fish does: they count as neither."""
    assert scores("contrast", view_of_quarters([2, -1, 0.09, -0.09]), on_quarters(*levels)) == [expected]


def test_contrast_counts_pairs():
    """Fish and sky speak for the class, grass and cloud against it: three of four pairs are in order."""
    assert scores("contrast", view_of_quarters([2, 1, -1, -2]), on_quarters(3, 1, 2, 0)) == [3 / 4]


def test_contrast_needs_something_against():
    (score,) = scores("contrast", view_of_quarters([2, 1, 1, 0]), on_quarters(3, 1, 2, 0))
    assert isinstance(score, Undefined)


def test_true_effects_are_told_of_things_that_do_something_in_pictures_that_can_be_made():
    maps = [on_quarters(4, 3, 2, 1), on_quarters(1, 2, 3, 4)]
    view = view_of_quarters([4, 3, 2, 1])
    assert scores("true_effects", view, *maps) == [pytest.approx(1), pytest.approx(-1)]
    nothing = Undefined("nothing in the picture changes the score when it is left out")
    assert scores("true_effects", view_of_quarters([0, 0, 0, 0]), *maps) == [nothing, nothing]
    view.effects = None
    unknown = Undefined("true effects are known of pictures of the world alone")
    assert scores("true_effects", view, *maps) == [unknown, unknown]
