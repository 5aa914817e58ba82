"""Gradient methods against slow float64 references, against captum, and against what theory says."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from captum.attr import GuidedBackprop, InputXGradient, IntegratedGradients, NoiseTunnel, Saliency
from torch import nn

from lumiscope.attribution import METHODS
from lumiscope.attribution.methods.integrated_gradients import baseline_input
from lumiscope.errors import ModelError, UsageError

FAMILY = ("saliency", "input_x_gradient", "integrated_gradients", "smoothgrad", "guided_backprop")
SIZE = (32, 40)
FEW = {"integrated_gradients": {"steps": 12}, "smoothgrad": {"num_samples": 3}}
every_method = pytest.mark.parametrize("method", FAMILY)


def explain(method, prepared, wanted="predicted", **options):
    chosen = METHODS[method]
    targets = prepared.targets(wanted, [None] * len(prepared))
    return chosen.explain(prepared, targets, chosen.options(FEW.get(method, {}) | options))


def noise_of(prepared, row, copies=3, share=0.15, seed=None):
    """What SmoothGrad adds, as its docstring says it."""
    image = prepared.inputs.values[row]
    seed = prepared.views[row].seed("smoothgrad") if seed is None else seed
    width = share * float(image.max() - image.min())
    drawn = [np.random.default_rng((seed, n)).standard_normal(image.shape, dtype=np.float32) for n in range(copies)]
    return [width * torch.from_numpy(sample) for sample in drawn]


def assert_close(values, expected, tolerance=1e-4):
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(values, expected, atol=tolerance * np.abs(expected).max(), rtol=0)


@every_method
@pytest.mark.parametrize(
    "network", ["plain", "Residual", "InPlace", "Functional", "Reused", "Dense", "DataDependent", "Patches"]
)
@pytest.mark.parametrize("wanted", ["predicted", 2])
def test_equals_the_slow_reference(reference, networks, torch_model, prepare, method, network, wanted):
    model = torch_model(networks.seeded(getattr(networks, network)), SIZE)
    prepared = prepare(model, count=2)
    double = copy.deepcopy(model.module).double()
    for row, saliency in enumerate(explain(method, prepared, wanted)):
        image = prepared.inputs.values[row].double()
        more = {"integrated_gradients": {"steps": 12}, "smoothgrad": {"noise": noise_of(prepared, row)}}.get(method, {})
        values, display = reference.REFERENCES[method](double, image, None, saliency.target.index, **more)
        assert saliency.values.shape == SIZE
        assert saliency.values.dtype == np.float32
        assert_close(saliency.values, values)
        np.testing.assert_allclose(saliency.display(), display, atol=1e-3, rtol=0)


def captum_map(method, module, prepared, row, target, monkeypatch):
    """(3, H, W) as captum computes it."""
    image = prepared.inputs.values[row : row + 1].clone()
    if method == "saliency":
        return Saliency(module).attribute(image, target=target, abs=False)[0]
    if method == "input_x_gradient":
        return InputXGradient(module).attribute(image.requires_grad_(), target=target)[0].detach()
    if method == "integrated_gradients":
        return IntegratedGradients(module).attribute(image, target=target, n_steps=12)[0]
    if method == "guided_backprop":
        return GuidedBackprop(module).attribute(image, target=target)[0]
    noise = torch.stack(noise_of(prepared, row))
    monkeypatch.setattr(torch, "normal", lambda mean, std: noise)
    return NoiseTunnel(Saliency(module)).attribute(image, nt_samples=3, stdevs=1.0, target=target, abs=False)[0]


@pytest.mark.filterwarnings("ignore")
@every_method
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("wanted", ["predicted", 1])
def test_equals_captum(networks, torch_model, prepare, monkeypatch, method, seed, wanted):
    model = torch_model(networks.seeded(networks.plain, seed), SIZE)
    prepared = prepare(model, first=10 * seed, count=2)
    module = copy.deepcopy(model.module)
    for row, ours in enumerate(explain(method, prepared, wanted)):
        theirs = captum_map(method, module, prepared, row, ours.target.index, monkeypatch)
        signed = method in ("input_x_gradient", "integrated_gradients")
        assert_close(ours.values, (theirs.sum(0) if signed else theirs.abs().amax(0)).numpy(), 1e-3)


@pytest.fixture
def linear(torch_model):
    """S = w · x + b, and w as (classes, 3, H, W)."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * math.prod(SIZE), 4))
    generator = torch.Generator().manual_seed(3)
    weight = torch.randn(module[1].weight.shape, generator=generator) / 50
    module[1].weight.data = weight
    return torch_model(module, SIZE), weight.view(4, 3, *SIZE)


def test_of_a_linear_model_every_method_is_known(linear, prepare):
    model, weight = linear
    prepared = prepare(model, count=2)
    maps = {method: explain(method, prepared, 1) for method in FAMILY}
    for row, image in enumerate(prepared.inputs.values):
        products, largest = (weight[1] * image).sum(0).numpy(), weight[1].abs().amax(0).numpy()
        for method, expected in zip(FAMILY, (largest, products, products, largest, largest), strict=True):
            assert_close(maps[method][row].values, expected)
        facts = maps["integrated_gradients"][row].details
        assert facts["completeness_gap"] == pytest.approx(0, abs=1e-4)
        assert facts["completeness_gap_share"] < 1e-3
        assert "warnings" not in facts
        assert maps["input_x_gradient"][row].values.min() < 0
        assert maps["input_x_gradient"][row].display().min() == 0


@pytest.mark.parametrize("baseline", ["zero", "black", "mean", "blur"])
def test_integrated_gradients_start_at_the_baseline(linear, prepare, baseline):
    """Of a linear model they are w · (x − x'), and they add up to S(x) − S(x')."""
    model, weight = linear
    prepared = prepare(model, count=1)
    (saliency,) = explain("integrated_gradients", prepared, 1, baseline=baseline, steps=2)
    image, start = prepared.inputs.values[0], baseline_input(prepared.inputs, 0, baseline)
    assert_close(saliency.values, (weight[1] * (image - start)).sum(0).numpy())
    scores = model.logits(torch.stack([image, start]))[:, 1]
    assert saliency.values.sum() == pytest.approx(float(scores[0] - scores[1]), rel=1e-3)


def test_what_the_baselines_are(linear, prepare):
    model, _ = linear
    prepared = prepare(model, count=1)
    pixels = prepared.views[0].pixels
    mean, std = np.array(model.mean)[:, None, None], np.array(model.std)[:, None, None]
    baselines = {name: baseline_input(prepared.inputs, 0, name).numpy() for name in ("zero", "black", "mean", "blur")}
    assert not baselines["zero"].any()
    np.testing.assert_allclose(baselines["black"], np.broadcast_to(-mean / std, (3, *SIZE)), rtol=1e-5)
    colour = pixels.mean((0, 1)).round()[:, None, None] / 255
    np.testing.assert_allclose(baselines["mean"], np.broadcast_to((colour - mean) / std, (3, *SIZE)), atol=1e-5)
    image = prepared.inputs.values[0].numpy()
    down, across = (gaussian_weights(side, 0.1 * min(SIZE)) for side in SIZE)
    np.testing.assert_allclose(baselines["blur"], down @ image @ across.T, atol=1e-4)


def gaussian_weights(side, width):
    """(side, side): a Gaussian on each pixel, cut off at four standard deviations; the border's pixels go on."""
    weights = np.zeros((side, side))
    for pixel in range(side):
        for step in range(-round(4 * width), round(4 * width) + 1):
            weights[pixel, min(max(pixel + step, 0), side - 1)] += math.exp(-(step**2) / (2 * width**2))
    return weights / weights.sum(1, keepdims=True)


@pytest.mark.parametrize("seed", range(3))
def test_integrated_gradients_are_complete_and_say_where_not(networks, torch_model, prepare, seed):
    prepared = prepare(torch_model(networks.seeded(networks.Residual, seed), SIZE), count=1)
    (saliency,) = explain("integrated_gradients", prepared, 2, steps=200)
    ends = prepared.model.logits(torch.stack([prepared.inputs.values[0], torch.zeros(3, *SIZE)]))[:, 2]
    facts = saliency.details
    assert facts["completeness_gap_share"] < 0.05
    assert "warnings" not in facts
    total = saliency.values.astype(float).sum()
    assert total + facts["completeness_gap"] == pytest.approx(float(ends[0] - ends[1]), abs=1e-4)


def test_a_gap_of_more_than_five_per_cent_is_a_warning(torch_model, prepare):
    """One node, in the middle, of S = (sum x)^3: 3/4 of the whole, so 25 % are missing."""
    prepared = prepare(torch_model(Cube(), SIZE), count=1)
    (saliency,) = explain("integrated_gradients", prepared, 0, steps=1)
    assert saliency.details["completeness_gap_share"] == pytest.approx(0.25, abs=1e-3)
    assert "misses 25% of the score's difference; more steps than 1" in saliency.details["warnings"][0]
    (two,) = explain("integrated_gradients", prepared, 0, steps=2)
    assert two.details["completeness_gap_share"] < 1e-3, "two nodes of Gauss and Legendre integrate squares exactly"


class Cube(nn.Module):
    def forward(self, inputs):
        mean = inputs.mean((1, 2, 3))
        return torch.stack([mean**3, 0 * mean], 1)


def test_no_difference_to_explain_is_said(torch_model, prepare):
    (saliency,) = explain("integrated_gradients", prepare(torch_model(Cube(), SIZE), count=1), 1)
    assert not saliency.values.any()
    assert saliency.details["completeness_gap"] == 0
    assert math.isnan(saliency.details["completeness_gap_share"])
    assert "same score" in saliency.details["warnings"][0]


def test_seeds_of_smoothgrad(networks, torch_model, prepare):
    model = torch_model(networks.seeded(networks.plain), SIZE)
    (first,), (again,) = (explain("smoothgrad", prepare(model, count=1), 1) for _ in range(2))
    (other,) = explain("smoothgrad", prepare(model, count=1, seed=1), 1)
    np.testing.assert_array_equal(first.values, again.values)
    assert np.abs(first.values - other.values).max() > 0.01 * first.values.max()
    given = [explain("smoothgrad", prepare(model, count=1, seed=seed), 1, random_seed=5)[0] for seed in (0, 1)]
    np.testing.assert_array_equal(given[0].values, given[1].values)
    (silent,) = explain("smoothgrad", prepare(model, count=1), 1, noise=0)
    (plain,) = explain("saliency", prepare(model, count=1), 1)
    assert_close(silent.values, plain.values)


@every_method
def test_little_memory_changes_nothing(networks, torch_model, prepare, monkeypatch, method):
    model = torch_model(networks.seeded(networks.Residual), SIZE)
    expected = explain(method, prepare(model))
    prepared = prepare(model)
    ample = prepared.inputs.gradients_at

    def scarce(inputs, targets):
        if len(inputs) > 1:
            raise MemoryError
        return ample(inputs, targets)

    monkeypatch.setattr(prepared.inputs, "gradients_at", scarce)
    for ours, wanted in zip(explain(method, prepared), expected, strict=True):
        assert_close(ours.values, wanted.values, 1e-5)


@every_method
def test_flips_average_over_the_mirror_image(networks, torch_model, prepare, method):
    model = torch_model(networks.seeded(networks.plain), SIZE)
    prepared = prepare(model, count=1)
    (saliency,), (other,) = explain(method, prepared, 1), explain(method, prepared.mirrored(), 1)
    (both,) = explain(method, prepared, 1, flips=True)
    np.testing.assert_allclose(both.values, (saliency.values + other.values[:, ::-1]) / 2, rtol=1e-5, atol=1e-8)
    assert both.display().max() == pytest.approx(1, abs=1e-4)


@every_method
def test_half_precision_modules_are_explained_in_float32(networks, torch_model, prepare, method):
    module = networks.seeded(networks.plain).bfloat16()
    wide = torch_model(copy.deepcopy(module).float(), SIZE)
    for ours, expected in zip(
        explain(method, prepare(torch_model(module, SIZE)), 1), explain(method, prepare(wide), 1), strict=True
    ):
        assert_close(ours.values, expected.values, 1e-6)


@every_method
def test_a_network_that_begins_in_place_changes_no_inputs(torch_model, networks, prepare, method):
    rest = networks.seeded(networks.plain)
    batch, other = (
        prepare(torch_model(nn.Sequential(nn.ReLU(inplace=inplace), rest), SIZE), count=1) for inplace in (True, False)
    )
    before = batch.inputs.values.clone()
    np.testing.assert_allclose(explain(method, batch, 1)[0].values, explain(method, other, 1)[0].values, atol=1e-6)
    assert torch.equal(batch.inputs.values, before)


@every_method
def test_gradients_that_are_not_finite_are_said(torch_model, prepare, method):
    class Root(nn.Module):
        """Finite scores with an infinite slope where a pixel is at its smallest."""

        def forward(self, inputs):
            score = (inputs - inputs.amin((1, 2, 3), keepdim=True)).sqrt().mean((1, 2, 3))
            return torch.stack([score, -score], 1)

    for saliency in explain(method, prepare(torch_model(Root(), SIZE), count=1), 0):
        assert not np.isfinite(saliency.values).all()
        assert "NaN or infinity" in saliency.details["undefined"]


@every_method
def test_what_a_map_says_of_itself(networks, torch_model, prepare, method):
    prepared = prepare(torch_model(networks.seeded(networks.plain), SIZE))
    said = {"integrated_gradients": {"baseline": "zero"}, "smoothgrad": {"noise": 0.15, "random_seed": None}}
    for row, saliency in enumerate(explain(method, prepared)):
        assert (saliency.method, saliency.layer, saliency.item_id) == (method, None, f"image {row}")
        assert saliency.options == {"flips": False} | FEW.get(method, {}) | said.get(method, {})
    assert METHODS[method].needs_gradients
    assert not METHODS[method].needs_layer
    assert not METHODS[method].perturbs


@every_method
def test_a_black_box_is_refused_in_words(black_box, networks, torch_model, prepare, method):
    box = black_box(torch_model(networks.seeded(networks.plain), SIZE))
    with pytest.raises(ModelError, match="box can only predict"):
        explain(method, prepare(box))


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("integrated_gradients", {"steps": 0}, "steps of at least 1; got 0"),
        ("integrated_gradients", {"baseline": "white"}, "option baseline: .*'zero', 'black', 'mean' or 'blur'"),
        ("smoothgrad", {"num_samples": 0}, "num_samples of at least 1; got 0"),
        ("smoothgrad", {"noise": -0.1}, "noise of at least 0; got -0.1"),
        ("smoothgrad", {"random_seed": -1}, "random_seed of at least 0; got -1"),
    ],
)
def test_options_out_of_range(method, options, message):
    with pytest.raises(UsageError, match=message):
        METHODS[method].options(options)
