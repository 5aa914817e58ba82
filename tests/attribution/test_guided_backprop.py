"""Guided backpropagation knows a ReLU however it is called, and leaves it alone outside."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from lumiscope.attribution import METHODS
from lumiscope.attribution.methods.guided_backprop import GuidedRectifiers

SIZE = (32, 40)


def explain(method, prepared, wanted="predicted"):
    chosen = METHODS[method]
    return chosen.explain(prepared, prepared.targets(wanted, [None] * len(prepared)), chosen.options())


RECTIFIERS = {
    "module": nn.ReLU(),
    "module in place": nn.ReLU(inplace=True),
    "function": functional.relu,
    "function in place": lambda x: functional.relu(x, inplace=True),
    "function in place, result unused": lambda x: (functional.relu_(x), x)[1],
    "torch": lambda x: torch.relu(input=x),
    "torch in place": torch.relu_,
    "method": lambda x: x.relu(),
    "method in place": lambda x: x.relu_(),
}


class Rectified(nn.Module):
    """A network of one reused rectifier whose input is used again beside it."""

    def __init__(self, rectifier):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 8, 3, bias=False), nn.Conv2d(8, 8, 3, bias=False)
        for part in (self.first, self.second):
            part.weight.data = torch.randn(part.weight.shape, generator=generator) / 4
        self.rectifier = rectifier

    def forward(self, inputs):
        before = self.second(self.rectifier(self.first(inputs)))
        return (self.rectifier(before.clone()) + before).mean((2, 3))


@pytest.mark.parametrize("kind", RECTIFIERS)
def test_guided_backprop_knows_a_relu_however_it_is_called(reference, torch_model, prepare, kind):
    prepared = prepare(torch_model(Rectified(RECTIFIERS[kind]), SIZE), count=1)
    (saliency,) = explain("guided_backprop", prepared, 2)
    double = Rectified(RECTIFIERS["method"]).double()
    values, _ = reference.REFERENCES["guided_backprop"](double, prepared.inputs.values[0].double(), None, 2)
    np.testing.assert_allclose(saliency.values, values, atol=1e-4 * values.max())
    assert saliency.details == {}


@pytest.mark.parametrize("cap", [nn.ReLU6(), functional.relu6, lambda x: functional.hardtanh(x, 0.0, 6.0, True)])
def test_relu6_is_guided_where_it_does_not_saturate(cap):
    """x = −1, 0, 3, 7 with gradients 1, then −1, from above: only the third gets its gradient, if it is positive."""
    for sign, expected in ((1.0, [0.0, 0.0, 1.0, 0.0]), (-1.0, [0.0] * 4)):
        leaf = torch.tensor([-1.0, 0.0, 3.0, 7.0], requires_grad=True)
        with GuidedRectifiers() as guided:
            outputs = cap(leaf * 1)
        assert outputs.tolist() == [0.0, 0.0, 3.0, 6.0]
        (gradient,) = torch.autograd.grad((sign * outputs).sum(), leaf)
        assert gradient.tolist() == expected
        assert guided.met == 1


def test_a_hardtanh_with_a_negative_end_is_no_rectifier():
    with GuidedRectifiers() as guided:
        functional.hardtanh(torch.ones(2))
    assert guided.met == 0


@pytest.mark.parametrize("raises", [False, True])
def test_relus_are_guided_only_inside(raises):
    leaf = torch.tensor([1.0], requires_grad=True)
    try:
        with GuidedRectifiers():
            functional.relu(leaf)
            assert not raises
    except AssertionError:
        assert raises
    assert torch.autograd.grad(-functional.relu(leaf).sum(), leaf)[0].item() == -1


def test_a_network_without_relus_is_said_to_have_none(networks, torch_model, prepare):
    prepared = prepare(torch_model(networks.seeded(networks.Patches), SIZE))
    for guided, plain in zip(explain("guided_backprop", prepared), explain("saliency", prepared), strict=True):
        np.testing.assert_array_equal(guided.values, plain.values)
        assert "no ReLU" in guided.details["warnings"][0]
