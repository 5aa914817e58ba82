"""KernelSHAP against Shapley values by their definition, and against captum's."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from captum.attr import ShapleyValues

from lumiscope.agreement import make_mask, segment_mask
from lumiscope.attribution import METHODS
from lumiscope.attribution.regions._hiding import hidden_picture

SIZE = (32, 40)


def explain(prepared, wanted="predicted", **options):
    method = METHODS["kernelshap"]
    targets = prepared.targets(wanted, [None] * len(prepared))
    return method.explain(prepared, targets, method.options(options))


def assert_close(values, expected, tolerance=1e-4):
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(values, expected, atol=tolerance * np.abs(expected).max(), rtol=0)


@pytest.fixture
def model(networks, torch_model):
    return torch_model(networks.seeded(networks.Residual), SIZE)


def probability_of(model, pixels, target):
    double = copy.deepcopy(model.module).double()
    return double(model.inputs(pixels[None]).double())[0].softmax(0)[target].item()


@pytest.mark.parametrize(("rows", "columns"), [(1, 2), (1, 3), (2, 2), (2, 4)])
@pytest.mark.parametrize("colour", [None, 40])
def test_few_segments_get_their_exact_shapley_values(reference, model, prepare, rows, columns, colour):
    prepared = prepare(model, count=1)
    cut = {"segmenter": "grid", "segmenter_options": {"rows": rows, "columns": columns}}
    (saliency,) = explain(prepared, 1, hide_color=colour, **cut)
    pixels, segments = prepared.views[0].pixels, saliency.segments
    hidden = pixels.copy()
    for segment in range(rows * columns):
        inside = segments == segment
        hidden[inside] = pixels[inside].mean(0).astype(np.uint8) if colour is None else colour
    known = {}

    def worth(players):
        if players not in known:
            known[players] = probability_of(
                model, np.where(np.isin(segments, players)[..., None], pixels, hidden), target=1
            )
        return known[players]

    slow = reference.REFERENCES["kernelshap"](worth, rows * columns)
    assert_close(saliency.coefficients, slow)
    np.testing.assert_array_equal(saliency.values, saliency.coefficients[segments].astype(np.float32))
    facts = saliency.details
    assert facts["exact"]
    assert facts["evaluations"] == 2 ** (rows * columns)
    assert facts["probability_of_nothing"] == pytest.approx(worth(()), rel=1e-4)
    assert facts["probability_of_all"] == pytest.approx(saliency.target.probability, rel=1e-4)


@pytest.mark.parametrize("hide", ["blur", "noise", "inpaint"])
def test_segments_are_hidden_by_what_the_option_says(reference, model, prepare, hide):
    """A segment is a rectangle of another picture: the values are those of the game in which it is pasted in."""
    prepared = prepare(model, count=1)
    cut = {"segmenter": "grid", "segmenter_options": {"rows": 1, "columns": 3}}
    (saliency,) = explain(prepared, 1, hide=hide, random_seed=5, **cut)
    pixels, segments = prepared.views[0].pixels, saliency.segments
    hidden = hidden_picture(pixels, segments, hide, None, 5)
    assert (hidden != pixels).mean() > 0.5

    def worth(players):
        return probability_of(model, np.where(np.isin(segments, players)[..., None], pixels, hidden), target=1)

    assert_close(saliency.coefficients, reference.REFERENCES["kernelshap"](worth, 3))


def test_noise_follows_the_studys_seed(model, prepare):
    cut = {"segmenter": "grid", "segmenter_options": {"rows": 1, "columns": 3}}
    saliency, same, other = (
        explain(prepare(model, count=1, seed=seed), 1, hide="noise", **cut)[0] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(saliency.coefficients, same.coefficients)
    assert np.abs(saliency.coefficients - other.coefficients).max() > 1e-4


def test_the_mask_shows_what_the_options_say(model, prepare):
    cut = {"segmenter": "grid", "segmenter_options": {"rows": 2, "columns": 3}}
    (saliency,) = explain(prepare(model, count=1), 1, num_features=2, positive_only=False, **cut)
    best = np.argsort(-np.abs(saliency.coefficients))[:2]
    np.testing.assert_array_equal(make_mask(saliency, "lime"), np.isin(saliency.segments, best))
    weakest = float(np.abs(saliency.coefficients[best]).min())
    (strict,) = explain(prepare(model, count=1), 1, num_features=2, min_weight=weakest, **cut)
    np.testing.assert_array_equal(make_mask(strict, "lime"), saliency.values > weakest)


def test_kernelshap_equals_captums_exact_values(model, prepare):
    prepared = prepare(model, count=1)
    cut = {"segmenter": "grid", "segmenter_options": {"rows": 2, "columns": 2}}
    (saliency,) = explain(prepared, 2, hide_color=90, **cut)
    theirs = ShapleyValues(lambda inputs: model.module(inputs).softmax(1)).attribute(
        prepared.inputs.values[:1],
        baselines=model.inputs(np.full((1, *SIZE, 3), 90, np.uint8)),
        target=2,
        feature_mask=torch.tensor(saliency.segments)[None, None],
    )
    assert_close(saliency.values, theirs[0, 0].detach().numpy(), 1e-3)


@pytest.mark.parametrize("sampling", ["leverage", "kernel"])
@pytest.mark.parametrize("paired", [True, False])
def test_the_values_add_up_whatever_is_sampled(model, prepare, sampling, paired):
    cut = {"segmenter": "grid", "segmenter_options": {"rows": 4, "columns": 5}}
    for saliency in explain(prepare(model), num_samples=60, sampling=sampling, paired=paired, **cut):
        facts = saliency.details
        assert not facts["exact"]
        assert facts["evaluations"] == 60
        assert "60 samples are few for 20 segments: take 5 for each" in facts["warnings"][0]
        gain = facts["probability_of_all"] - facts["probability_of_nothing"]
        assert saliency.coefficients.sum() == pytest.approx(gain, abs=1e-12)


def test_a_single_segment_gets_everything_and_a_warning(model, prepare):
    cut = {"segmenter": "grid", "segmenter_options": {"rows": 1, "columns": 1}}
    (saliency,) = explain(prepare(model, count=1), 1, **cut)
    facts = saliency.details
    assert saliency.coefficients == pytest.approx([facts["probability_of_all"] - facts["probability_of_nothing"]])
    assert "single segment" in facts["warnings"][0]


def test_kernelshap_explains_quickshifts_segments_and_masks_the_best(model, prepare):
    (saliency,) = explain(prepare(model, count=1), segmenter="quickshift", segmenter_options={})
    count = saliency.segments.max() + 1
    assert count > 3
    assert saliency.coefficients.shape == (count,)
    best = saliency.coefficients.argmax()
    np.testing.assert_array_equal(
        segment_mask(saliency.segments, saliency.coefficients, num_features=1), saliency.segments == best
    )
    assert METHODS["kernelshap"].mask_rule == "lime"
