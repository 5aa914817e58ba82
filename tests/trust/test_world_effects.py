"""True effects on models of which it is known what they look at."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.images import Geometry, WorldImage, open_images
from lumiscope.models import load_model
from lumiscope.trust import TrueEffects, effect_map, effect_rows, true_effects
from lumiscope.trust.effects import effect_correlation, means_on_things
from lumiscope.types import Target
from lumiscope.world import MARK_BOX, OBJECTS, WORDS, render

RED = Target(0, "red", 0.0, float("nan"))


class MeanRed:
    """A black box whose first score is the mean of the red channel in a box of the view."""

    name, spec, fingerprint, classes, activation = "red", "red", "red", ("red", "none"), "softmax"

    def __init__(self, geometry: Geometry, box: tuple[int, int, int, int] = (0, 0, 128, 128)) -> None:
        self.geometry = geometry
        self.box = box

    def predict(self, views):
        left, top, right, bottom = self.box
        red = [view.pixels[top:bottom, left:right, 0].mean() for view in views]
        return np.array([[value, 0] for value in red], np.float32)


@pytest.fixture(scope="module")
def whole() -> MeanRed:
    return MeanRed(Geometry((128, 128)))


def test_every_thing_that_is_seen_and_changes_pixels_has_its_effect(whole):
    item = WorldImage(3, 7)
    scene = render(3, 7)
    effects = true_effects(whole, item, RED)
    shown = [
        (kind, word)
        for kind, words in WORDS.items()
        for number, word in enumerate(words, 1)
        if word != "grey" and (scene.labels[kind] == number).any()
    ]
    assert list(zip(effects.kinds, effects.names, strict=True)) == shown
    for kind, name, region, drop in zip(effects.kinds, effects.names, effects.regions, effects.drops, strict=True):
        without = render(3, 7, without=name)
        assert (without.pixels != scene.pixels).any()
        assert drop == pytest.approx(scene.pixels[..., 0].mean() - without.pixels[..., 0].mean(), abs=1e-4)
        assert np.array_equal(region, scene.labels[kind] == WORDS[kind].index(name) + 1)


def test_scores_without_several_things_are_those_of_such_a_picture():
    model = load_model("world:objects")
    item = WorldImage(0, 7)
    (name, scene) = item.class_names
    target = Target(OBJECTS.index(name), name, 0.0, 1.0)
    scores = true_effects(model, item, target).scores_without
    assert scores(frozenset()).argmax() == target.index
    for left_out in ({name}, {scene}, {name, scene}):
        pixels = render(0, 7, without=left_out).pixels
        np.testing.assert_allclose(scores(frozenset(left_out)), model.predict(pixels[np.newaxis])[0], atol=1e-5)


def test_the_map_of_true_effects_adds_up_what_lies_on_each_other(whole):
    regions = np.zeros((2, 3, 4), bool)
    regions[0, :2], regions[1, 1:, 1:] = True, True
    effects = TrueEffects(("a", "b"), ("object", "part"), regions, np.array([2.0, -0.5]))
    np.testing.assert_array_equal(effect_map(effects, (3, 4)), [[2] * 4, [2, 1.5, 1.5, 1.5], [0, -0.5, -0.5, -0.5]])
    nothing = TrueEffects((), (), np.zeros((0, 3, 4), bool), np.zeros(0))
    assert not effect_map(nothing, (3, 4)).any()


def test_what_the_view_does_not_show_is_no_thing_of_it():
    """The middle 32 x 32 pixels, four times as large: places are on the view."""
    cropped = MeanRed(Geometry((128, 128), resize_size=(512, 512)))
    item = WorldImage(3, 7)
    effects = true_effects(cropped, item, RED)
    labels = {kind: maps[48:80, 48:80] for kind, maps in item.label_maps.items()}
    for kind, name, region in zip(effects.kinds, effects.names, effects.regions, strict=True):
        shown = labels[kind] == WORDS[kind].index(name) + 1
        if shown.any():
            assert np.array_equal(region, shown.repeat(4, 0).repeat(4, 1)), name
        else:
            assert region.any()  # of its shadow, outline or neighbour: the pixels that change
    assert len(effects) < len(true_effects(MeanRed(Geometry((128, 128))), item, RED))


def test_the_mark_is_a_thing_and_its_place_is_its_corner():
    item = WorldImage(3, 7, "fish")
    left, top, right, bottom = MARK_BOX
    corner = MeanRed(Geometry((128, 128)), MARK_BOX)
    effects = true_effects(corner, item, RED)
    place, drop = effects.regions[effects.names.index("mark")], effects.drops[effects.names.index("mark")]
    assert effects.kinds[effects.names.index("mark")] == "mark"
    assert place[top + 2 : bottom - 2, left + 2 : right - 2].mean() > 0.9
    assert not place[bottom + 2 :].any()
    assert not place[:, right + 2 :].any()
    marked, bare = render(3, 7, mark="fish").pixels, render(3, 7).pixels
    inside = np.s_[top:bottom, left:right, 0]
    assert drop == pytest.approx(marked[inside].mean() - bare[inside].mean(), abs=1e-4)
    assert "mark" not in true_effects(corner, WorldImage(3, 7), RED).names


def test_the_mark_decides_for_the_network_that_learnt_it():
    shortcut, objects = load_model("world:shortcut"), load_model("world:objects")
    item = WorldImage(3, 7, render(3, 7).object)
    target = Target(OBJECTS.index(item.class_name), item.class_name, 0.0, 1.0)
    effects = [true_effects(model, item, target) for model in (shortcut, objects)]
    drops = [dict(zip(each.names, each.drops, strict=True)) for each in effects]
    assert drops[0]["mark"] > drops[0][item.class_name]
    assert drops[1]["mark"] < 0.05 * drops[1][item.class_name]


def test_of_other_images_true_effects_are_not_known(whole, tmp_path):
    from PIL import Image

    Image.fromarray(render(0).pixels).save(tmp_path / "a.png")
    (item,) = open_images(tmp_path)
    assert true_effects(whole, item, RED) is None


def test_rows_say_what_was_left_out(whole):
    effects = true_effects(whole, WorldImage(3, 7), RED)
    rows = effect_rows("red", "world-7-00003", RED, effects)
    assert [row.thing for row in rows] == list(effects.names)
    assert [row.effect for row in rows] == pytest.approx(effects.drops)
    assert [row.area for row in rows] == pytest.approx(effects.regions.mean((1, 2)))
    assert {(row.model, row.image, row.target) for row in rows} == {("red", "world-7-00003", "red")}


def test_things_of_which_a_map_says_the_same_tie_whatever_their_sizes():
    """The mean of three times 0.1 is a little above that of seven; what is elsewhere changes nothing."""
    assert np.full(3, 0.1).mean() > np.full(7, 0.1).mean()
    values = np.zeros((3, 7))
    values[0, :3] = values[1] = 0.1
    values[2] = -5
    regions = np.zeros((3, 3, 7), bool)
    regions[0, 0, :3] = regions[1, 1] = regions[2, 2] = True
    effects = TrueEffects(("a", "b", "c"), ("object",) * 3, regions, np.array([2.0, 1.0, 0.0]))
    assert means_on_things(values, effects)[0] == means_on_things(values, effects)[1]
    np.testing.assert_allclose(means_on_things(values, effects), [0.1, 0.1, -5])
    assert effect_correlation(values, effects) == pytest.approx((1 + 1 / 2) / 2), "the mean over both orders"
