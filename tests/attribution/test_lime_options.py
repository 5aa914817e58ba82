"""The options of LIME: what is usual, what each does, what is refused, and warnings in words."""

from __future__ import annotations

import re

import numpy as np
import pytest

from attribution.black_boxes import LinearBox, boxed, explain_by_lime, lime_options, squares
from lumiscope.attribution import PreparedBatch
from lumiscope.errors import UnknownNameError, UsageError


def test_defaults():
    options = lime_options()
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
    assert lime_options(hide_color=0).hide == "color"
    assert lime_options(hide_color=[1, 2, 3], hide="color").hide_color == (1, 2, 3)


@pytest.mark.parametrize("design", ["bernoulli", "foldover", "surrogate"])
def test_every_design_finds_the_coefficients_of_a_linear_black_box(design):
    """On a grid, hidden in black, the probability is linear: what a segment brings is known."""
    brings = np.linspace(-0.02, 0.04, 16)
    model = LinearBox(brings)
    prepared = PreparedBatch(model, [model.geometry.view(np.full((32, 32, 3), 200, np.uint8), "flat")])
    given = {"segmenter": "grid", "segmenter_options": {"rows": 4, "columns": 4}, "hide_color": 0, "num_features": 99}
    (saliency,) = explain_by_lime(prepared, 0, num_samples=240, design=design, **given)
    # bernoulli and foldover have lime's penalty: alpha 1 against a gram of about 240 · 0.5 / 4
    np.testing.assert_allclose(saliency.coefficients, brings, atol=0.003 if design != "surrogate" else 0.0015)
    assert saliency.details["r2"] > 0.99
    assert (np.diff(saliency.intervals, axis=1) < 0.01).all()
    assert "warnings" not in saliency.details


def test_dropped_segments_have_no_interval_and_kept_ones_contain_their_coefficient():
    (saliency,) = explain_by_lime(boxed(squares()), 1, num_samples=200, num_features=5)
    kept = saliency.coefficients != 0
    assert kept.sum() == 5
    assert np.isnan(saliency.intervals[~kept]).all()
    assert (saliency.intervals[kept, 0] < saliency.coefficients[kept]).all()
    assert (saliency.intervals[kept, 1] > saliency.coefficients[kept]).all()
    wider = explain_by_lime(boxed(squares()), 1, num_samples=200, num_features=5, confidence=0.999)[0].intervals
    assert (np.diff(wider)[kept] > 1.5 * np.diff(saliency.intervals)[kept]).all()


@pytest.mark.parametrize("design", ["bernoulli", "foldover", "surrogate"])
def test_auto_stops_when_the_best_segments_are_stable(design):
    given = {"design": design, "num_features": 3, "hide_color": 0, "random_seed": 4}
    (saliency,) = explain_by_lime(boxed(squares()), 1, num_samples="auto", **given)
    used = saliency.details["samples"]
    assert used < 5000
    assert saliency.details["stopped"].endswith("stable")
    (same,) = explain_by_lime(boxed(squares()), 1, num_samples=used, **given)
    np.testing.assert_allclose(saliency.coefficients, same.coefficients, atol=1e-9)
    (capped,) = explain_by_lime(boxed(squares()), 1, num_samples="auto", max_samples=60, **{**given, "num_features": 9})
    assert capped.details["samples"] == 60
    assert "not stable, stopped at max_samples=60" in capped.details["stopped"]


def test_warnings_in_words():
    few = explain_by_lime(boxed(squares()), 1, num_samples=50)[0].details["warnings"]
    assert any(re.match(r"50 samples are few for \d+ segments: take \d+ or more", text) for text in few)
    (low,) = explain_by_lime(boxed(squares()), 1, num_samples=400, num_features=1)[0].details["warnings"]
    assert re.match(r"the segments shown explain only \d+% of how", low)
    options = {"segmenter": "grid", "segmenter_options": {"rows": 1, "columns": 1}}
    (single,) = explain_by_lime(boxed(squares()), 1, num_samples=40, **options)[0].details["warnings"]
    assert single.startswith("the whole view is one segment")
    flat = boxed(np.full((96, 96, 3), 128, np.uint8))
    constant = explain_by_lime(flat, 1, num_samples=400, segmenter="grid", segmenter_options={"rows": 2})[0].details[
        "warnings"
    ]
    assert any(text.startswith("hiding segments never changes") for text in constant)


def test_an_unknown_option_names_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown option of lime 'num_sample': did you mean num_samples"):
        lime_options(num_sample=10)


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
        lime_options(**given)
