"""LIME against the lime package, against a slow reference, and where the truth is known."""

from __future__ import annotations

import dataclasses
import itertools
import re

import numpy as np
import pytest
from lime.lime_image import LimeImageExplainer
from scipy.special import softmax

from lumiscope.agreement import make_mask, segment_mask
from lumiscope.attribution import METHODS, PreparedBatch, derive_seed
from lumiscope.attribution.regions._segmentation import segment_means
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.images import Geometry


def options_of(**given):
    return METHODS["lime"].options(given)


def explain(prepared, wanted="predicted", **given):
    targets = prepared.targets(wanted, [None] * len(prepared))
    return METHODS["lime"].explain(prepared, targets, options_of(**given))


class BlackBox:
    """A classifier without torch: class 1 likes red in the upper left quarter, class 2 green in the lower right."""

    name, spec, fingerprint = "box", "callable", "0" * 64
    classes = ("none", "red", "green")
    geometry = Geometry((96, 96), mode="squash")
    activation = "softmax"

    def view(self, item):
        return self.geometry.view(item.pixels, item.id)

    def predict(self, views):
        pixels = views if isinstance(views, np.ndarray) else np.stack([view.pixels for view in views])
        scaled = (pixels.astype(np.float64) / 255) ** 2
        red, green = scaled[:, :48, :48, 0].mean((1, 2)), scaled[:, 48:, 48:, 1].mean((1, 2))
        return np.stack([np.full(len(pixels), 0.5), 4 * red, 3 * green], axis=1).astype(np.float32)


def squares(size=96, cell=24):
    """16 squares, each in a colour of its own, with a fine chequered pattern."""
    pixels = np.zeros((size, size, 3), np.uint8)
    for number, (row, column) in enumerate(itertools.product(range(size // cell), repeat=2)):
        colour = (40 + 12 * number, 220 - 12 * number, (97 * number) % 220)
        pixels[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell] = colour
    pixels[::2, ::2] += 30
    return pixels


def boxed(pixels, item_id="squares", seed=0):
    model = BlackBox()
    return PreparedBatch(model, [model.geometry.view(pixels, item_id)], seed=seed)


@pytest.fixture(scope="module")
def model(networks, torch_model):
    return torch_model(networks.seeded(lambda: networks.plain(classes=5)), (96, 96))


def peer_explains(model, pixels, **given):
    explainer = LimeImageExplainer(random_state=0, feature_selection="auto")
    return explainer.explain_instance(
        pixels,
        lambda images: softmax(model.predict(np.asarray(images)).astype(np.float64), axis=1),
        random_seed=0,
        **given,
    )


@pytest.mark.parametrize(
    ("num_features", "hide_color", "num_samples", "top_labels"),
    [
        *itertools.product([3, 6, 7, 15, 100], [None, 0, 127], [50], [3]),
        *itertools.product([6, 15], [None, 0], [200], [1]),
    ],
)
def test_equals_lime(model, prepare, num_features, hide_color, num_samples, top_labels):
    prepared = prepare(model, count=1, first=num_features % 4)
    given = {
        "num_features": num_features,
        "hide_color": hide_color,
        "num_samples": num_samples,
        "top_labels": top_labels,
    }
    (ours,) = explain(prepared, random_seed=0, **given)
    theirs = peer_explains(model, prepared.views[0].pixels, **given)
    np.testing.assert_array_equal(ours.segments, theirs.segments)
    assert ours.segments.max() > 6
    assert ours.top_classes.tolist() == theirs.top_labels
    assert ours.top_coefficients.shape == (top_labels, ours.segments.max() + 1)
    for label, coefficients in zip(ours.top_classes, ours.top_coefficients, strict=True):
        expected = np.zeros(len(coefficients))
        for segment, value in theirs.local_exp[label]:
            expected[segment] = value
        np.testing.assert_allclose(coefficients, expected, atol=1e-5, rtol=0)
        assert np.abs(expected).max() > 1e-4
    target = ours.target.index
    np.testing.assert_array_equal(ours.coefficients, ours.top_coefficients[0])
    assert ours.details["intercept"] == pytest.approx(theirs.intercept[target], abs=1e-5)
    if top_labels == 1:  # lime keeps the score and the prediction of the last label only
        assert ours.details["r2"] == pytest.approx(theirs.score, abs=1e-5)
        assert ours.details["local_prediction"] == pytest.approx(theirs.local_pred[0], abs=1e-5)
    for count in (1, 5, num_features):
        for positive_only, min_weight in itertools.product(
            [True, False], [0.0, 1.03 * float(np.median(np.abs(ours.coefficients)))]
        ):
            mask = theirs.get_image_and_mask(
                target, positive_only=positive_only, hide_rest=True, num_features=count, min_weight=min_weight
            )[1]
            rule = {"positive_only": positive_only, "min_weight": min_weight, "num_features": count}
            np.testing.assert_array_equal(segment_mask(ours.segments, ours.coefficients, **rule), mask != 0)
            same = dataclasses.replace(ours, options=ours.options | rule)
            np.testing.assert_array_equal(make_mask(same, "lime"), mask != 0)


def test_a_colour_of_three_numbers_equals_lime(model, prepare):
    prepared = prepare(model, count=1)
    (ours,) = explain(prepared, random_seed=0, num_samples=60, num_features=7, hide_color=[250, 10, 90])
    theirs = peer_explains(
        model, prepared.views[0].pixels, num_samples=60, num_features=7, hide_color=(250, 10, 90), top_labels=1
    )
    for segment, value in theirs.local_exp[ours.target.index]:
        assert ours.coefficients[segment] == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize("num_features", [4, 9])
@pytest.mark.parametrize("hide_color", [None, 30])
@pytest.mark.parametrize("wanted", ["predicted", 2])
def test_equals_the_slow_reference(reference, num_features, hide_color, wanted):
    prepared = boxed(squares())
    (ours,) = explain(
        prepared, wanted, num_samples=80, num_features=num_features, hide_color=hide_color, random_seed=11
    )
    coefficients, intercept, r2 = reference.REFERENCES["lime"](
        lambda image: softmax(BlackBox().predict(image[None])[0].astype(np.float64)),
        squares(),
        boxed(squares()).views[0].segments("quickshift", {}),
        11,
        80,
        num_features,
        hide_color,
        ours.target.index,
    )
    np.testing.assert_allclose(ours.coefficients, coefficients, atol=1e-6)
    assert ours.details["intercept"] == pytest.approx(intercept, abs=1e-6)
    assert ours.details["r2"] == pytest.approx(r2, abs=1e-6)


def test_a_black_box_is_explained_by_the_regions_it_looks_at():
    """Class 1 sees red in the upper left quarter only: all that matters lies there."""
    (saliency,) = explain(boxed(squares()), 1, num_samples=600, num_features=100, hide_color=0)
    assert saliency.layer is None
    inside = saliency.values[4:44, 4:44]
    assert inside.min() > 5 * np.abs(saliency.values[4:44, 52:]).max()
    assert saliency.values[52:, 52:].max() < 0  # more green means less red, as probabilities sum to 1
    mask = segment_mask(saliency.segments, saliency.coefficients, num_features=4)
    assert mask[4:44, 4:44].all()
    assert not mask[52:].any()


def test_values_paint_the_coefficients():
    (saliency,) = explain(boxed(squares()), 1, num_samples=200, num_features=5)
    assert len(saliency.coefficients) == saliency.segments.max() + 1 == saliency.details["segments"]
    assert np.count_nonzero(saliency.coefficients) == 5
    np.testing.assert_array_equal(saliency.values, saliency.coefficients[saliency.segments].astype(np.float32))
    display = saliency.display()
    assert display.min() == 0
    assert display.max() == pytest.approx(1, abs=1e-3)
    assert saliency.details["local_prediction"] == pytest.approx(
        saliency.details["intercept"] + saliency.coefficients.sum()
    )


@pytest.mark.parametrize("top_labels", [0, 1, 3, 99])
def test_classes_beside_the_target(top_labels):
    (saliency,) = explain(boxed(squares()), 2, num_samples=30, top_labels=top_labels)
    order = np.argsort(-BlackBox().predict(squares()[None])[0])
    assert saliency.top_classes.tolist() == order[:top_labels].tolist()
    assert saliency.top_coefficients.shape == (min(top_labels, 3), len(saliency.coefficients))
    assert saliency.target.index == 2
    for label, row in zip(saliency.top_classes, saliency.top_coefficients, strict=True):
        assert (label == 2) == np.array_equal(row, saliency.coefficients)


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("hide_color", [None, 0])
def test_a_picture_of_one_segment(value, hide_color):
    """Hidden in its own mean colour a constant picture never changes: nothing is explained, and nothing crashes."""
    pixels = np.full((96, 96, 3), value, np.uint8)
    (saliency,) = explain(boxed(pixels), 1, num_samples=40, hide_color=hide_color)
    assert saliency.details["segments"] == len(np.unique(saliency.segments))
    assert np.isfinite(saliency.values).all()
    if hide_color is None or value == 0:
        np.testing.assert_allclose(saliency.coefficients, 0, atol=1e-9)
        probability = softmax(BlackBox().predict(pixels[None])[0].astype(float))[1]
        assert saliency.details["local_prediction"] == pytest.approx(probability, abs=1e-6)
        assert not saliency.display().any() or saliency.display().max() <= 1


def test_segment_means_are_cut_off():
    pixels = np.array([[[1, 10, 255]], [[2, 20, 255]]], np.uint8)
    assert segment_means(pixels, np.array([[0], [0]])).tolist() == [[[1, 15, 255]]] * 2
    np.testing.assert_array_equal(segment_means(pixels, np.array([[0], [1]])), pixels)


def test_the_seed_comes_from_the_study_and_the_item_never_from_the_order(model, prepare):
    forward, backward = prepare(model, count=3, seed=5), prepare(model, count=3, seed=5)
    backward.views.reverse()
    there, back = explain(forward, 1, num_samples=40), explain(backward, 1, num_samples=40)
    for ours, theirs in zip(there, reversed(back), strict=True):
        assert ours.item_id == theirs.item_id
        np.testing.assert_allclose(ours.coefficients, theirs.coefficients, atol=1e-6)
        (alone,) = explain(prepare(model, count=1, first=int(ours.item_id[-1]), seed=5), 1, num_samples=40)
        np.testing.assert_allclose(ours.coefficients, alone.coefficients, atol=1e-6)


def test_a_default_seed_is_the_derived_one_and_a_given_one_wins():
    by_default = explain(boxed(squares(), "a", seed=3), num_samples=40)[0]
    named = explain(boxed(squares(), "b", seed=9), num_samples=40, random_seed=derive_seed(3, "a", "lime"))[0]
    np.testing.assert_array_equal(by_default.coefficients, named.coefficients)
    for other in (boxed(squares(), "b", seed=3), boxed(squares(), "a", seed=4)):
        assert not np.array_equal(explain(other, num_samples=40)[0].coefficients, by_default.coefficients)


def test_derived_seeds():
    seeds = {derive_seed(*parts) for parts in itertools.product(range(4), ["a", "b", ""], ["lime", "rise"])}
    assert len(seeds) == 24
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert derive_seed(1, "2", "lime") == derive_seed(1, "2", "lime")


def test_defaults():
    options = options_of()
    assert (options.num_samples, options.num_features, options.hide_color, options.top_labels) == (1000, 10, None, 1)
    assert options.random_seed is None
    assert (options.segmenter, options.segmenter_options, options.hide, options.design) == (
        "quickshift",
        {},
        "mean",
        "bernoulli",
    )
    assert (options.confidence, options.min_weight, options.positive_only) == (0.95, 0.0, True)


def test_a_colour_alone_hides_with_that_colour():
    assert options_of(hide_color=0).hide == "color"
    assert options_of(hide_color=[1, 2, 3], hide="color").hide_color == (1, 2, 3)


@pytest.mark.parametrize("design", ["bernoulli", "foldover", "surrogate"])
def test_every_design_finds_the_coefficients_of_a_linear_black_box(design):
    """On a grid, hidden in black, the probability is linear: what a segment brings is known."""
    brings = np.linspace(-0.02, 0.04, 16)
    model = LinearBox(brings)
    prepared = PreparedBatch(model, [model.geometry.view(np.full((32, 32, 3), 200, np.uint8), "flat")])
    given = {"segmenter": "grid", "segmenter_options": {"rows": 4, "columns": 4}, "hide_color": 0, "num_features": 99}
    (found,) = explain(prepared, 0, num_samples=240, design=design, **given)
    # bernoulli and foldover have lime's penalty: alpha 1 against a gram of about 240 · 0.5 / 4
    np.testing.assert_allclose(found.coefficients, brings, atol=0.003 if design != "surrogate" else 0.0015)
    assert found.details["r2"] > 0.99
    assert (np.diff(found.intervals, axis=1) < 0.01).all()
    assert "warnings" not in found.details


class LinearBox:
    """Probability of class 0: 0.3 and a share for every bright square of a 4 by 4 grid."""

    name, spec, fingerprint, classes, activation = "linear", "callable", "1" * 64, ("a", "b"), "none"
    geometry = Geometry((32, 32), mode="squash")

    def __init__(self, brings):
        self.brings = brings

    def predict(self, views):
        pixels = views if isinstance(views, np.ndarray) else np.stack([view.pixels for view in views])
        lit = pixels.reshape(-1, 4, 8, 4, 8, 3).mean((2, 4, 5)).reshape(-1, 16) > 100
        first = 0.3 + lit @ self.brings
        return np.stack([first, 1 - first], axis=1).astype(np.float32)


def test_dropped_segments_have_no_interval_and_kept_ones_contain_their_coefficient():
    (found,) = explain(boxed(squares()), 1, num_samples=200, num_features=5)
    kept = found.coefficients != 0
    assert kept.sum() == 5
    assert np.isnan(found.intervals[~kept]).all()
    assert (found.intervals[kept, 0] < found.coefficients[kept]).all()
    assert (found.intervals[kept, 1] > found.coefficients[kept]).all()
    wider = explain(boxed(squares()), 1, num_samples=200, num_features=5, confidence=0.999)[0].intervals
    assert (np.diff(wider)[kept] > 1.5 * np.diff(found.intervals)[kept]).all()


@pytest.mark.parametrize("design", ["bernoulli", "foldover", "surrogate"])
def test_auto_stops_when_the_best_segments_are_stable(design):
    given = {"design": design, "num_features": 3, "hide_color": 0, "random_seed": 4}
    (found,) = explain(boxed(squares()), 1, num_samples="auto", **given)
    used = found.details["samples"]
    assert used < 5000
    assert found.details["stopped"].endswith("stable")
    (same,) = explain(boxed(squares()), 1, num_samples=used, **given)
    np.testing.assert_allclose(found.coefficients, same.coefficients, atol=1e-9)
    (capped,) = explain(boxed(squares()), 1, num_samples="auto", max_samples=60, **{**given, "num_features": 9})
    assert capped.details["samples"] == 60
    assert "not stable, stopped at max_samples=60" in capped.details["stopped"]


def test_warnings_in_words():
    few = explain(boxed(squares()), 1, num_samples=50)[0].details["warnings"]
    assert any(re.match(r"50 samples are few for \d+ segments: take \d+ or more", text) for text in few)
    (low,) = explain(boxed(squares()), 1, num_samples=400, num_features=1)[0].details["warnings"]
    assert re.match(r"the segments shown explain only \d+% of how", low)
    one = {"segmenter": "grid", "segmenter_options": {"rows": 1, "columns": 1}}
    (single,) = explain(boxed(squares()), 1, num_samples=40, **one)[0].details["warnings"]
    assert single.startswith("the whole view is one segment")
    flat = boxed(np.full((96, 96, 3), 128, np.uint8))
    constant = explain(flat, 1, num_samples=400, segmenter="grid", segmenter_options={"rows": 2})[0].details["warnings"]
    assert any(text.startswith("hiding segments never changes") for text in constant)


def test_an_unknown_option_names_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown option of lime 'num_sample': did you mean num_samples"):
        options_of(num_sample=10)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_samples": "many"}, "option num_samples: .*integer.*got 'many'"),
        ({"num_samples": 10.5}, "option num_samples"),
        ({"num_samples": 1}, "num_samples of at least 2; got 1"),
        ({"num_features": 0}, "num_features of at least 1; got 0"),
        ({"top_labels": -1}, "top_labels of at least 0; got -1"),
        ({"hide_color": 300}, "hide_color from 0 to 255; got 300"),
        ({"hide_color": -1}, "hide_color from 0 to 255; got -1"),
        ({"hide_color": (0, 0, 256)}, "hide_color from 0 to 255"),
        ({"hide_color": (0, 0)}, "option hide_color"),
        ({"hide_color": "red"}, "option hide_color"),
        ({"hide": "blur", "hide_color": 3}, "hide=blur and hide_color=3 exclude each other"),
        ({"hide": "color"}, "hide=color needs the color"),
        ({"hide": "blurr"}, "unknown hide of lime 'blurr': did you mean blur"),
        ({"design": "fold"}, "unknown design of lime 'fold': did you mean foldover"),
        ({"num_samples": "all"}, "option num_samples"),
        ({"confidence": 95}, "confidence between 0 and 1; got 95"),
        ({"min_weight": -1}, "min_weight of at least 0; got -1"),
        ({"segmenter": "slick"}, "unknown segmenter 'slick': did you mean slic"),
        ({"segmenter": "slic", "segmenter_options": {"n_segment": 3}}, "did you mean n_segments"),
        ({"segmenter": "slic", "segmenter_options": {"n_segments": "x"}}, "option n_segments: .*integer.*got 'x'"),
        ({"segmenter": "mask:"}, "expected mask:FILE or python:module:function"),
        ({"segmenter": "mask:a.png", "segmenter_options": {"a": 1}}, "a mask file has no options; got a"),
        ({"random_seed": -1}, "random_seed from 0"),
        ({"random_seed": 2**32}, "random_seed from 0"),
    ],
)
def test_impossible_options(given, message):
    with pytest.raises(UsageError, match=message):
        options_of(**given)
