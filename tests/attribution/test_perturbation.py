"""What occlusion, RISE and KernelSHAP share, and the first two against slow references, captum and known truth."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from torch import nn

from lumiscope.attribution import METHODS, PreparedBatch
from lumiscope.attribution.methods.occlusion import OcclusionOptions
from lumiscope.attribution.methods.rise import RiseOptions, SmoothMasks
from lumiscope.errors import UsageError
from lumiscope.models import load_model
from lumiscope.world import OBJECTS, render

FAMILY = ("occlusion", "rise", "kernelshap")
SIZE = (32, 40)
GRID = {"segmenter": "grid", "segmenter_options": {"rows": 2, "columns": 3}}
FEW = {"occlusion": {"window": 8}, "rise": {"num_masks": 12, "cells": 4}, "kernelshap": GRID}
every_method = pytest.mark.parametrize("method", FAMILY)


def explain(method, prepared, wanted="predicted", **options):
    chosen = METHODS[method]
    targets = prepared.targets(wanted, [None] * len(prepared))
    return chosen.explain(prepared, targets, chosen.options(FEW.get(method, {}) | options))


def assert_close(values, expected, tolerance=1e-4):
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(values, expected, atol=tolerance * np.abs(expected).max(), rtol=0)


def flat(pixels, colour):
    return np.broadcast_to(np.uint8(colour), pixels.shape).copy()


@pytest.fixture
def model(networks, torch_model):
    return torch_model(networks.seeded(networks.Residual), SIZE)


def scores_of(model, pixels):
    """Raw float64 scores of one picture."""
    double = copy.deepcopy(model.module).double()
    return double(model.inputs(pixels[None]).double())[0].detach().numpy()


@pytest.mark.parametrize(("window", "stride"), [(8, 8), (9, 4), (7, 5), (32, 3), (5, 5)])
@pytest.mark.parametrize("colour", [128, (250, 0, 60)])
def test_occlusion_equals_the_slow_reference_and_captum(reference, model, prepare, window, stride, colour):
    prepared = prepare(model, count=1)
    (saliency,) = explain("occlusion", prepared, 1, window=window, stride=stride, hide_color=colour)
    hidden = flat(prepared.views[0].pixels, colour)
    slow = reference.REFERENCES["occlusion"](
        lambda pixels: scores_of(model, pixels)[1], prepared.views[0].pixels, hidden, window, stride
    )
    assert_close(saliency.values, slow)
    theirs = Occlusion(model.module).attribute(
        prepared.inputs.values[:1],
        sliding_window_shapes=(3, window, window),
        strides=(3, stride, stride),
        baselines=model.inputs(hidden[None]),
        target=1,
    )
    assert_close(saliency.values, theirs[0, 0].detach().numpy(), 1e-3)


def test_occlusion_of_a_linear_model_is_known(torch_model, prepare):
    """Every pixel of a window has the sum of w · (x − hidden) over it."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * math.prod(SIZE), 2))
    module[1].weight.data = torch.randn(module[1].weight.shape, generator=torch.Generator().manual_seed(1)) / 50
    model = torch_model(module, SIZE)
    prepared = prepare(model, count=1)
    (saliency,) = explain("occlusion", prepared, 1, window=8, stride=8, hide_color=None)
    mean = prepared.views[0].pixels.mean((0, 1)).round()
    change = prepared.inputs.values[0] - model.inputs(flat(prepared.views[0].pixels, mean)[None])[0]
    parts = (module[1].weight[1].view(3, *SIZE) * change).sum(0).detach().numpy()
    windows = parts.reshape(4, 8, 5, 8).sum((1, 3)).repeat(8, 0).repeat(8, 1)
    assert_close(saliency.values, windows)


def test_default_windows():
    assert OcclusionOptions().steps((224, 224)) == (32, 16)
    assert OcclusionOptions().steps((64, 128)) == (9, 4)
    assert OcclusionOptions(window=20).steps((64, 128)) == (20, 10)
    assert OcclusionOptions().steps((4, 4)) == (1, 1)
    for options, message in (
        ({"window": 65}, "window of at most 64, the view's side; got 65"),
        ({"window": 8, "stride": 9}, "stride of at most the window, 8.*got 9"),
    ):
        with pytest.raises(UsageError, match=message):
            OcclusionOptions(**options).steps((64, 128))


@pytest.mark.parametrize("cells", [4, 5, 1])
def test_masks_of_rise_equal_the_slow_reference(reference, cells):
    masks = SmoothMasks.draw(3, SIZE, RiseOptions(num_masks=5, cells=cells))
    values = masks.between(0, 5)
    _, slow = reference.REFERENCES["rise"](lambda _: 0, masks.grids, masks.shifts, SIZE, 0.5)
    np.testing.assert_allclose(values, slow, atol=1e-5)
    np.testing.assert_array_equal(masks.between(2, 4), values[2:4])


def test_masks_of_rise_have_the_mean_that_they_are_divided_by():
    for keep in (0.5, 0.2):
        masks = SmoothMasks.draw(0, (16, 24), RiseOptions(num_masks=4000, cells=4, keep_probability=keep))
        values = masks.between(0, 4000)
        assert values.min() >= 0
        assert values.max() <= 1 + 1e-6
        np.testing.assert_allclose(values.mean(0), keep, atol=5 * math.sqrt(keep * (1 - keep) / 4000))
        assert set(np.unique(masks.shifts[:, 0])) == set(range(4)), "every shift of less than a cell"
        assert set(np.unique(masks.shifts[:, 1])) == set(range(6))


def test_rise_equals_the_slow_reference(reference, model, prepare):
    prepared = prepare(model, count=2)
    for row, saliency in enumerate(explain("rise", prepared, keep_probability=0.4)):
        seed, target = prepared.views[row].seed("rise"), saliency.target.index
        drawn = SmoothMasks.draw(seed, SIZE, RiseOptions(num_masks=12, cells=4, keep_probability=0.4))
        view = prepared.inputs.values[row].double()
        hidden = model.inputs(flat(prepared.views[row].pixels, 128)[None])[0]
        double = copy.deepcopy(model.module).double()

        def probability(mask, view=view, hidden=hidden, target=target, double=double):
            seen = torch.from_numpy(mask) * view + torch.from_numpy(1 - mask) * hidden
            return double(seen[None])[0].softmax(0)[target].item()

        slow, _ = reference.REFERENCES["rise"](probability, drawn.grids, drawn.shifts, SIZE, 0.4)
        assert_close(saliency.values, slow)
        assert_close(saliency.display(), (slow - slow.min()) / (slow.max() - slow.min()), 1e-3)
        assert saliency.display().max() == pytest.approx(1)
        of_each_mask = np.array([probability(mask) * mask / 0.4 for mask in drawn.between(0, 12).astype(float)])
        error = of_each_mask.std(0, ddof=1).mean() / math.sqrt(12)
        assert saliency.details["standard_error"] == pytest.approx(error, rel=1e-3)


def test_the_standard_error_of_rise_is_that_of_its_maps(model, prepare):
    """Maps of 24 seeds spread by as much as each says of itself."""
    prepared = prepare(model, count=1)
    maps = [explain("rise", prepared, 1, num_masks=60, random_seed=seed)[0] for seed in range(24)]
    spread = np.std([saliency.values for saliency in maps], axis=0, ddof=1).mean()
    said = np.mean([saliency.details["standard_error"] for saliency in maps])
    assert said == pytest.approx(spread, rel=0.15)
    saliency = maps[0]
    assert saliency.details["standard_error_share"] == pytest.approx(
        saliency.details["standard_error"] / np.ptp(saliency.values), rel=1e-5
    )


def test_rise_of_a_constant_score_is_the_mean_mask(torch_model, prepare):
    class Constant(nn.Module):
        def forward(self, inputs):
            return torch.zeros(len(inputs), 2) + 0 * inputs.mean((1, 2, 3))[:, None]

    (saliency,) = explain("rise", prepare(torch_model(Constant(), SIZE), count=1), 1, random_seed=4)
    masks = SmoothMasks.draw(4, SIZE, RiseOptions(num_masks=12, cells=4)).between(0, 12)
    assert_close(saliency.values, 0.5 * masks.mean(0) / 0.5)


@every_method
def test_seeds_and_batches(model, prepare, method):
    options = {"num_samples": 20} if method == "kernelshap" else {}
    together = explain(method, prepare(model), 1, **options)
    (alone,) = explain(method, prepare(model, count=1, first=2), 1, **options)
    np.testing.assert_allclose(together[2].values, alone.values, atol=1e-6)
    (other,) = explain(method, prepare(model, count=1, first=2, seed=1), 1, **options)
    differs = np.abs(other.values - alone.values).max() > 1e-3 * np.abs(alone.values).max()
    assert differs == (method != "occlusion")
    if method != "occlusion":
        given = [explain(method, prepare(model, count=1, seed=seed), 1, random_seed=5, **options)[0] for seed in (0, 1)]
        np.testing.assert_array_equal(given[0].values, given[1].values)


@every_method
def test_a_black_box_has_the_same_map(black_box, model, prepare, method):
    """But for RISE: there the box gets blended pixels rounded to whole numbers."""
    inside, outside = explain(method, prepare(model)), explain(method, prepare(black_box(model)))
    for ours, theirs in zip(inside, outside, strict=True):
        assert_close(theirs.values, ours.values, 5e-3 if method == "rise" else 1e-4)


@every_method
def test_hidden_pictures_without_a_finite_score_are_said(torch_model, prepare, method):
    class Fragile(nn.Module):
        """NaN where a pixel is exactly 7."""

        def forward(self, inputs):
            bad = ((inputs * 0.229 + 0.485)[:, 0] * 255 - 7).abs().amin((1, 2)) < 0.01
            score = torch.where(bad, torch.nan, inputs.mean((1, 2, 3)))
            return torch.stack([score, -score], 1)

    prepared = prepare(torch_model(Fragile(), SIZE))
    pixels = prepared.views[0].pixels
    prepared = PreparedBatch(prepared.model, [prepared.model.geometry.view(pixels.clip(20, 255), "image 0")])
    more = {"cells": 1} if method == "rise" else {}
    (saliency,) = explain(method, prepared, 0, hide_color=7, **more)
    assert np.isnan(saliency.values).any()
    assert "NaN or infinity" in saliency.details["undefined"]


@every_method
def test_what_a_map_says_of_itself(model, prepare, method):
    chosen = METHODS[method]
    for row, saliency in enumerate(explain(method, prepare(model))):
        assert (saliency.method, saliency.layer, saliency.item_id) == (method, None, f"image {row}")
        assert saliency.options == chosen.options(FEW[method]).__dict__
        assert saliency.values.shape == SIZE
        assert saliency.values.dtype == np.float32
        assert 0 <= saliency.display().min() <= saliency.display().max() <= 1
    assert chosen.perturbs
    assert not chosen.needs_gradients
    assert not chosen.needs_layer


WORLD = {
    "occlusion": {},
    "rise": {"num_masks": 400},
    "kernelshap": {"num_samples": 200},
}


@every_method
def test_maps_lie_on_the_object(method):
    """Of as many pixels as the object has, the most salient are on it far more often than chance would have it."""
    model = load_model("world:objects")
    scenes = [render(index, 11) for index in range(6)]
    views = [model.geometry.view(scene.pixels, str(scene.index)) for scene in scenes]
    prepared = PreparedBatch(model, views)
    targets = prepared.targets("label", [OBJECTS.index(scene.object) for scene in scenes])
    maps = METHODS[method].explain(prepared, targets, METHODS[method].options(WORLD[method]))
    shares, chances = [], []
    for saliency, scene in zip(maps, scenes, strict=True):
        area = int(scene.mask.sum())
        best = np.argsort(-saliency.values.ravel(), kind="stable")[:area]
        shares.append(scene.mask.ravel()[best].mean())
        chances.append(scene.mask.mean())
    assert np.mean(shares) > 2.5 * np.mean(chances)
    assert sum(share > chance for share, chance in zip(shares, chances, strict=True)) >= 5


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("occlusion", {"window": 0}, "window of at least 1; got 0"),
        ("occlusion", {"stride": -1}, "stride of at least 1; got -1"),
        ("occlusion", {"hide_color": 256}, "hide_color from 0 to 255; got 256"),
        ("rise", {"num_masks": 1}, "num_masks of at least 2; got 1"),
        ("rise", {"keep_probability": 1}, "keep_probability between 0 and 1; got 1"),
        ("rise", {"random_seed": -1}, "random_seed of at least 0; got -1"),
        ("rise", {"hide_color": [0, 0, 300]}, "hide_color from 0 to 255"),
        ("kernelshap", {"num_samples": 3}, "num_samples of at least 4; got 3"),
        ("kernelshap", {"segmenter": "quickshit"}, "unknown segmenter 'quickshit': did you mean quickshift"),
        ("kernelshap", {"sampling": "plain"}, "option sampling: .*'leverage' or 'kernel'"),
        ("kernelshap", {"hide": "blurr"}, "unknown hide of kernelshap 'blurr': did you mean blur"),
        ("kernelshap", {"hide": "blur", "hide_color": 3}, "kernelshap: hide=blur and hide_color=3 exclude each other"),
        ("kernelshap", {"min_weight": -1}, "kernelshap: expected min_weight of at least 0; got -1"),
        ("kernelshap", {"random_seed": 2**32}, "kernelshap: expected random_seed from 0 to 4294967295"),
    ],
)
def test_options_out_of_range(method, options, message):
    assert method in METHODS
    with pytest.raises(UsageError, match=message):
        METHODS[method].options(options)
