"""FullGrad: completeness, which biases it finds, and what it leaves out."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from timm.layers import BatchNormAct2d
from torch import nn
from torch.nn import functional

from lumiscope.attribution import METHODS
from lumiscope.attribution.methods.fullgrad import BiasProbes
from lumiscope.errors import ModelError

SIZE = (40, 56)


def explain(prepared, wanted="predicted"):
    method = METHODS["fullgrad"]
    return method.explain(prepared, prepared.targets(wanted, [None] * len(prepared)), method.options())


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("network", ["plain", "Residual", "InPlace", "Dense", "Reused", "Functional"])
def test_the_terms_of_a_relu_network_add_up_to_its_score(networks, torch_model, prepare, network, seed):
    """Completeness: S = x · dS/dx + the sum of b · dS/db over all biases, dense layers' and batch norms' included."""
    prepared = prepare(torch_model(networks.seeded(getattr(networks, network), seed), SIZE))
    for saliency in explain(prepared):
        assert abs(saliency.details["completeness_gap"]) < 1e-5 * max(1, abs(saliency.target.logit))
        assert saliency.details["completeness_gap_share"] < 1e-4
        assert "warnings" not in saliency.details
        assert saliency.layer is None


def test_the_gap_is_that_of_the_reference_where_the_network_bends(reference, networks, torch_model, prepare):
    module = networks.seeded(networks.Curved)
    prepared = prepare(torch_model(module, SIZE))
    terms_of = reference.REFERENCES["fullgrad"].__globals__["fullgrad_terms"]
    for saliency, image in zip(explain(prepared, 1), prepared.inputs.values.double(), strict=True):
        score, terms = terms_of(copy.deepcopy(module).double(), image, 1)
        gap = score - sum(float(term.sum()) for term in terms)
        assert saliency.details["completeness_gap"] == pytest.approx(gap, abs=1e-4)
        assert saliency.details["completeness_gap_share"] == pytest.approx(abs(gap / score), rel=1e-2)
        assert ("warnings" in saliency.details) == (abs(gap / score) > 0.05)


def same_thing_three_ways():
    """conv, batch norm, ReLU: as torch's parts, with timm's norm that ends in an activation, and as functions."""
    torch.manual_seed(0)
    conv, norm, fc = nn.Conv2d(3, 5, 3, stride=2), nn.BatchNorm2d(5), nn.Linear(5, 4)
    with torch.no_grad():
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
        norm.weight.uniform_(0.5, 2)
        norm.bias.uniform_(-1, 1)
    joined = BatchNormAct2d(5)
    joined.load_state_dict(norm.state_dict())

    class Functions(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm, self.fc = conv, norm, fc

        def forward(self, inputs):
            maps = functional.conv2d(inputs, self.conv.weight, bias=self.conv.bias, stride=2)
            stats = self.norm.running_mean, self.norm.running_var
            maps = functional.batch_norm(maps, *stats, weight=self.norm.weight, bias=self.norm.bias)
            return functional.linear(functional.relu(maps, inplace=True).mean((2, 3)), fc.weight, fc.bias)

    end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), fc]
    return nn.Sequential(conv, norm, nn.ReLU(), *end), nn.Sequential(conv, joined, *end), Functions()


def test_modules_and_functions_count_the_same(torch_model, prepare):
    maps = [explain(prepare(torch_model(module, SIZE)), 1) for module in same_thing_three_ways()]
    for plain, joined, functions in zip(*maps, strict=True):
        for other in (joined, functions):
            np.testing.assert_allclose(other.values, plain.values, atol=1e-5)
            assert other.details["completeness_gap"] == pytest.approx(0, abs=1e-5)


def test_the_terms_of_a_network_that_can_be_written_down(torch_model, prepare):
    """S = mean over positions of relu(x_0 + b): two terms, x_0 / n and b / n where the ReLU is open."""
    conv = nn.Conv2d(3, 1, 1)
    fc = nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1))
        conv.bias.fill_(0.3)
        fc.weight.copy_(torch.tensor([[1.0], [-1.0]]))
    model = torch_model(nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), fc), SIZE)
    prepared = prepare(model, count=1)
    red = prepared.inputs.values[0, 0].double().numpy()
    open_ = red + 0.3 > 0
    terms = np.abs(red * open_) / red.size, 0.3 * open_ / red.size

    def scaled(term):
        return (term - term.min()) / (1e-7 + (term - term.min()).max())

    (saliency,) = explain(prepared, 0)
    assert 0 < open_.mean() < 1
    np.testing.assert_allclose(saliency.values, scaled(terms[0]) + scaled(terms[1]), atol=1e-4)


def test_batch_norms_without_weights_count_and_those_of_the_batch_do_not():
    inputs = torch.randn(1, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    fixed, of_the_batch = nn.BatchNorm2d(3, affine=False).eval(), nn.BatchNorm2d(3, track_running_stats=False).eval()
    fixed.running_mean.copy_(torch.tensor([1.0, -2, 0]))
    fixed.running_var.fill_(4 - fixed.eps)
    with BiasProbes() as mode:
        fixed(inputs)
        of_the_batch(inputs)
        nn.LayerNorm(5)(inputs)
        nn.Conv2d(3, 2, 1, bias=False)(inputs)
    (probe,) = mode.probes
    torch.testing.assert_close(probe.bias.flatten(), torch.tensor([-0.5, 1.0, 0]))
    assert probe.is_map
    assert probe.zeros.shape == (1, 3, 4, 5)


def test_dense_layers_are_counted_but_no_map():
    with BiasProbes() as mode:
        nn.Linear(4, 3)(torch.ones(1, 2, 2, 4))
        nn.ConvTranspose2d(4, 2, 2)(torch.ones(1, 4, 3, 3))
        nn.Conv2d(4, 2, 1)(torch.ones(6, 4, 3, 3))  # windows of one image
    assert [probe.is_map for probe in mode.probes] == [False, True, False]


def test_a_network_that_stops_gradients_is_an_error_in_words(networks, torch_model, prepare):
    class Stops(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = networks.plain()

        def forward(self, inputs):
            with torch.no_grad():
                return self.net(inputs)

    with pytest.raises(ModelError, match=r"gradient to the input; model stops it .* Use methods without gradients"):
        explain(prepare(torch_model(Stops(), SIZE)))


def test_a_user_s_warning_does_not_point_at_us(networks, torch_model, prepare, recwarn):
    """`DataDependent` turns a tensor with a gradient into a number, of which torch warns."""
    explain(prepare(torch_model(networks.seeded(networks.DataDependent), SIZE)))
    assert not recwarn.list


def test_a_network_that_begins_in_place(networks, torch_model, prepare):
    """It overwrites its input; the map is that of the same network without."""
    net = networks.seeded(networks.plain)
    prepared = prepare(torch_model(nn.Sequential(nn.ReLU(inplace=True), net), SIZE))
    before = prepared.inputs.values.clone()
    maps = explain(prepared, 1)
    assert torch.equal(prepared.inputs.values, before)
    for saliency, other in zip(
        maps, explain(prepare(torch_model(nn.Sequential(nn.ReLU(), net), SIZE)), 1), strict=True
    ):
        np.testing.assert_array_equal(saliency.values, other.values)
        assert saliency.details["completeness_gap"] == pytest.approx(0, abs=1e-5)
