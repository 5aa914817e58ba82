"""LIME against the lime package, against a slow reference, and where the truth is known."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from lime.lime_image import LimeImageExplainer
from scipy.special import softmax

from attribution.black_boxes import RedOrGreen, boxed, explain_by_lime, squares
from lumiscope.agreement import make_mask, segment_mask
from lumiscope.attribution import derive_seed
from lumiscope.attribution.regions._segmentation import segment_means


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
    (ours,) = explain_by_lime(prepared, random_seed=0, **given)
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
    (ours,) = explain_by_lime(prepared, random_seed=0, num_samples=60, num_features=7, hide_color=[250, 10, 90])
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
    (ours,) = explain_by_lime(
        prepared, wanted, num_samples=80, num_features=num_features, hide_color=hide_color, random_seed=11
    )
    coefficients, intercept, r2 = reference.REFERENCES["lime"](
        lambda image: softmax(RedOrGreen().predict(image[None])[0].astype(np.float64)),
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
    (saliency,) = explain_by_lime(boxed(squares()), 1, num_samples=600, num_features=100, hide_color=0)
    assert saliency.layer is None
    inside = saliency.values[4:44, 4:44]
    assert inside.min() > 5 * np.abs(saliency.values[4:44, 52:]).max()
    assert saliency.values[52:, 52:].max() < 0  # more green means less red, as probabilities sum to 1
    mask = segment_mask(saliency.segments, saliency.coefficients, num_features=4)
    assert mask[4:44, 4:44].all()
    assert not mask[52:].any()


def test_values_paint_the_coefficients():
    (saliency,) = explain_by_lime(boxed(squares()), 1, num_samples=200, num_features=5)
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
    (saliency,) = explain_by_lime(boxed(squares()), 2, num_samples=30, top_labels=top_labels)
    order = np.argsort(-RedOrGreen().predict(squares()[None])[0])
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
    (saliency,) = explain_by_lime(boxed(pixels), 1, num_samples=40, hide_color=hide_color)
    assert saliency.details["segments"] == len(np.unique(saliency.segments))
    assert np.isfinite(saliency.values).all()
    if hide_color is None or value == 0:
        np.testing.assert_allclose(saliency.coefficients, 0, atol=1e-9)
        probability = softmax(RedOrGreen().predict(pixels[None])[0].astype(float))[1]
        assert saliency.details["local_prediction"] == pytest.approx(probability, abs=1e-6)
        assert not saliency.display().any() or saliency.display().max() <= 1


def test_segment_means_are_cut_off():
    pixels = np.array([[[1, 10, 255]], [[2, 20, 255]]], np.uint8)
    assert segment_means(pixels, np.array([[0], [0]])).tolist() == [[[1, 15, 255]]] * 2
    np.testing.assert_array_equal(segment_means(pixels, np.array([[0], [1]])), pixels)


def test_the_seed_comes_from_the_study_and_the_item_never_from_the_order(model, prepare):
    forward, backward = prepare(model, count=3, seed=5), prepare(model, count=3, seed=5)
    backward.views.reverse()
    there, back = explain_by_lime(forward, 1, num_samples=40), explain_by_lime(backward, 1, num_samples=40)
    for ours, theirs in zip(there, reversed(back), strict=True):
        assert ours.item_id == theirs.item_id
        np.testing.assert_allclose(ours.coefficients, theirs.coefficients, atol=1e-6)
        (alone,) = explain_by_lime(prepare(model, count=1, first=int(ours.item_id[-1]), seed=5), 1, num_samples=40)
        np.testing.assert_allclose(ours.coefficients, alone.coefficients, atol=1e-6)


def test_a_default_seed_is_the_derived_one_and_a_given_one_wins():
    by_default = explain_by_lime(boxed(squares(), "a", seed=3), num_samples=40)[0]
    named = explain_by_lime(boxed(squares(), "b", seed=9), num_samples=40, random_seed=derive_seed(3, "a", "lime"))[0]
    np.testing.assert_array_equal(by_default.coefficients, named.coefficients)
    for other in (boxed(squares(), "b", seed=3), boxed(squares(), "a", seed=4)):
        assert not np.array_equal(explain_by_lime(other, num_samples=40)[0].coefficients, by_default.coefficients)


def test_derived_seeds():
    seeds = {derive_seed(*parts) for parts in itertools.product(range(4), ["a", "b", ""], ["lime", "rise"])}
    assert len(seeds) == 24
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert derive_seed(1, "2", "lime") == derive_seed(1, "2", "lime")
