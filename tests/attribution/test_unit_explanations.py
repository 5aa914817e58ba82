"""Whatever explains a class explains a unit: by every method, against truths that one can derive."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from lumiscope.attribution import METHODS
from lumiscope.models import BlackBox
from lumiscope.models.unit_model import unit_model

UNITS = [
    ("resnet", "layer3:7"),
    ("resnet", "layer4.0.bn1:3"),
    ("vit, class token", "blocks.1:3"),
    ("vit, class token", "blocks.1@class:3"),
    ("swin", "layers.1:4"),
    ("no graph", "mix:1"),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("kind", "address"), [UNITS[0], *UNITS[3:]])
def test_every_method_explains_a_unit(model_of, prepare, cheap_options, method, kind, address):
    model, column = unit_model(model_of(kind), address)
    prepared = prepare(model, model.target_layer, count=2)
    targets = prepared.targets(column, [None, None])
    maps = METHODS[method].explain(prepared, targets, cheap_options(method))
    assert [saliency.target.name for saliency in maps] == [address, address]
    assert all(np.isfinite(saliency.values).all() for saliency in maps)
    assert any(saliency.values.any() for saliency in maps)


@pytest.mark.parametrize(("kind", "address"), UNITS)
def test_gradient_is_autograds_in_float64(model_of, prepare, kind, address):
    whole = model_of(kind)
    layer, unit = address.split(":")
    model, column = unit_model(whole, address)
    prepared = prepare(model, count=1)
    targets = prepared.targets(column, [None])
    (saliency,) = METHODS["saliency"].explain(prepared, targets, METHODS["saliency"].options())

    double, outputs = copy.deepcopy(whole.module).double(), []
    part = double.get_submodule(layer.removesuffix("@class"))
    part.register_forward_hook(lambda _, __, output: outputs.append(output.clone()))
    inputs = prepared.inputs.values.double().requires_grad_()
    double(inputs)
    output = outputs[-1][0]
    if layer.endswith("@class"):
        activation = output[0, int(unit)]
    elif kind.startswith("vit"):
        activation = output[1:, int(unit)].mean()
    else:
        activation = output[..., int(unit)].mean() if kind == "swin" else output[int(unit)].mean()
    (gradient,) = torch.autograd.grad(activation, inputs)
    expected = gradient[0].abs().amax(0).numpy()
    np.testing.assert_allclose(saliency.values, expected, atol=1e-4 * expected.max())
    assert targets[0].logit == pytest.approx(activation.item(), rel=1e-3, abs=1e-5)


def test_at_its_own_layer_grad_cam_is_the_units_own_map(model_of, prepare):
    """The score is the mean of map k, so dS/dA_k = 1 / hw, all other gradients are 0, and L = relu(A_k) / hw / hw.

    One 1 / hw is the gradient, whose mean over the positions is the weight: (1 / hw) · A_k.
    """
    whole = model_of("resnet")
    model, column = unit_model(whole, "layer3:7")
    assert model.target_layer == "layer3"
    prepared = prepare(model, "layer3", count=2)
    unit_map = prepared.at("layer3").maps[:, column]
    positive = unit_map.clamp(min=0) / unit_map[0].numel()
    expected = interpolate(positive[:, None], prepared.views[0].size, mode="bilinear")[:, 0]
    assert expected.any()
    for method in ("gradcam", "hirescam"):
        maps = METHODS[method].explain(prepared, prepared.targets(column, [None, None]), METHODS[method].options())
        np.testing.assert_allclose(np.stack([saliency.values for saliency in maps]), expected, rtol=1e-4, atol=1e-7)


def test_lime_is_that_of_a_black_box_that_returns_the_activation(model_of, prepare):
    whole = model_of("resnet")
    model, column = unit_model(whole, "layer3:7")
    box = BlackBox(model.predict, model.geometry, activation="raw", classes=model.classes)
    options = METHODS["lime"].options({"num_samples": 60})
    first, second = (
        METHODS["lime"].explain(prepared, prepared.targets(column, [None]), options)[0]
        for prepared in (prepare(model, count=1), prepare(box, count=1))
    )
    assert first.coefficients.any()
    scale = np.abs(first.coefficients).max()
    np.testing.assert_allclose(first.coefficients, second.coefficients, atol=0.02 * scale)  # it gets rounded pixels


def test_kernelshap_adds_up_to_the_activation(model_of, prepare):
    model, column = unit_model(model_of("resnet"), "layer3:7")
    prepared = prepare(model, count=1)
    (target,) = prepared.targets(column, [None])
    (saliency,) = METHODS["kernelshap"].explain(prepared, [target], METHODS["kernelshap"].options())
    assert saliency.details["probability_of_all"] == pytest.approx(target.logit, rel=1e-4)
    total = saliency.details["probability_of_all"] - saliency.details["probability_of_nothing"]
    assert saliency.coefficients.sum() == pytest.approx(total, rel=1e-3)


def test_a_unit_has_no_probability_and_lime_says_activation(model_of, prepare, networks, torch_model):
    module = networks.seeded(networks.plain)
    module[0].weight.data.zero_()
    model, column = unit_model(torch_model(module), "1:0")
    prepared = prepare(model, count=1)
    (target,) = prepared.targets(column, [None])
    assert np.isnan(target.probability)
    (saliency,) = METHODS["lime"].explain(prepared, [target], METHODS["lime"].options({"num_samples": 20}))
    assert "hiding segments never changes the activation: there is nothing to explain" in saliency.warnings
