"""Folded copies give the outputs of the network itself; what cannot be folded is left alone."""

from __future__ import annotations

import copy

import pytest
import torch
from timm.layers import BatchNormAct2d
from torch import nn

from lumiscope.models.backends.folding import Folding
from lumiscope.models.outputs import logits_of

INPUTS = torch.randn(3, 3, 32, 40, generator=torch.Generator().manual_seed(1))


class Pairs(nn.Module):
    """`first`, `norm` and a classifier."""

    def __init__(self, first, norm, channels):
        super().__init__()
        self.first, self.norm = first, norm
        self.fc = nn.Linear(channels, 4)

    def forward(self, inputs):
        return self.fc(self.norm(self.first(inputs)).relu().mean((2, 3)))


class Dense(nn.Module):
    """A batch norm between two linear layers."""

    def __init__(self, **options):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 4, stride=4)
        self.first = nn.Linear(6, 8)
        self.norm = nn.BatchNorm1d(8, **options)
        self.fc = nn.Linear(8, 4)

    def forward(self, inputs):
        return self.fc(self.norm(self.first(self.conv(inputs).mean((2, 3)))).relu())


FOLDED = {
    "bias": lambda: Pairs(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), 6),
    "no bias": lambda: Pairs(nn.Conv2d(3, 6, 3, bias=False), nn.BatchNorm2d(6), 6),
    "not affine": lambda: Pairs(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6, affine=False), 6),
    "another epsilon": lambda: Pairs(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6, eps=0.1), 6),
    "grouped": lambda: Pairs(nn.Conv2d(3, 6, 3, groups=3, padding=1), nn.BatchNorm2d(6), 6),
    "dilated and padded by reflection": lambda: Pairs(
        nn.Conv2d(3, 6, 3, dilation=2, padding=2, padding_mode="reflect"), nn.BatchNorm2d(6), 6
    ),
    "timm's norm with its activation": lambda: Pairs(nn.Conv2d(3, 6, 3), BatchNormAct2d(6), 6),
    "timm's norm without one": lambda: Pairs(nn.Conv2d(3, 6, 3), BatchNormAct2d(6, apply_act=False), 6),
    "dense": lambda: Dense(),
    "dense, not affine": lambda: Dense(affine=False),
}


def norms(module):
    return sum(isinstance(part, nn.BatchNorm2d | nn.BatchNorm1d) for part in module.modules())


def outputs(module, layer, inputs):
    seen = []
    handle = module.get_submodule(layer).register_forward_hook(lambda _, __, output: seen.append(output.clone()))
    logits = module(inputs)
    handle.remove()
    return seen[0], logits


@pytest.mark.parametrize("case", FOLDED)
@pytest.mark.parametrize("seed", range(2))
def test_a_convolution_and_its_norm_become_one(networks, case, seed):
    """As exact as the network itself: both within float32 rounding of the same network in float64."""
    module = networks.seeded(FOLDED[case], seed)
    copied = Folding(module, INPUTS[:2]).copy()
    assert norms(copied) == 0
    with torch.no_grad():
        exact = copy.deepcopy(module).double()(INPUTS.double())
        scale = exact.abs().max()
        for network in (module, copied):
            assert (network(INPUTS).double() - exact).abs().max() < 3e-6 * scale
        assert (copied(INPUTS[:1, :, :20]) - module(INPUTS[:1, :, :20])).abs().max() < 1e-5 * scale


@pytest.mark.parametrize("network", ["Residual", "InPlace", "Dense", "Reused", "DataDependent", "plain"])
def test_whole_networks(networks, network):
    module = networks.seeded(getattr(networks, network))
    copied = Folding(module, INPUTS[:2]).copy()
    assert norms(copied) == 0
    with torch.no_grad():
        torch.testing.assert_close(copied(INPUTS), module(INPUTS), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "layer", ["stem", "block", "block.conv1", "block.bn1", "block.relu", "block.conv2", "block.bn2"]
)
def test_the_layer_asked_for_gives_what_it_gave(networks, layer):
    """`block.conv1` alone is not folded where its own output is looked at; the other pair is."""
    module = networks.seeded(networks.Residual)
    copied = Folding(module, INPUTS[:2]).copy(layer)
    assert norms(copied) == (1 if "conv" in layer else 0)
    with torch.no_grad():
        for ours, expected in zip(outputs(copied, layer, INPUTS), outputs(module, layer, INPUTS), strict=True):
            torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", ["norm", "norm.drop", "norm.act"])
def test_the_parts_of_timm_s_norm_keep_their_names(networks, layer):
    module = networks.seeded(FOLDED["timm's norm with its activation"])
    copied = Folding(module, INPUTS[:2]).copy(layer)
    assert norms(copied) == 0
    with torch.no_grad():
        for ours, expected in zip(outputs(copied, layer, INPUTS), outputs(module, layer, INPUTS), strict=True):
            torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


def test_a_container_that_ends_in_a_convolution_is_looked_at_too(networks):
    module = networks.seeded(lambda: Pairs(nn.Sequential(nn.Conv2d(3, 6, 3)), nn.BatchNorm2d(6), 6))
    assert norms(Folding(module, INPUTS[:2]).copy("first")) == 1
    assert norms(Folding(module, INPUTS[:2]).copy("first.0")) == 1
    assert norms(Folding(module, INPUTS[:2]).copy("norm")) == 0


def test_copies_that_would_be_equal_are_one(networks):
    folding = Folding(networks.seeded(networks.Residual), INPUTS[:2])
    assert folding.copy() is folding.copy("stem") is folding.copy("block.bn1")
    assert folding.copy("block.conv1") is not folding.copy()


class Shared(nn.Module):
    """The output of a convolution has a second reader, by `way`."""

    def __init__(self, way):
        super().__init__()
        self.way = way
        self.conv = nn.Conv2d(3, 6, 3)
        self.norm, self.other = nn.BatchNorm2d(6), nn.BatchNorm2d(6)
        self.fc = nn.Linear(6, 4)

    def forward(self, inputs):
        maps = self.conv(inputs)
        both = {
            "plain": lambda: self.norm(maps) + maps,
            "two norms": lambda: self.norm(maps) + self.other(maps),
            "norm twice": lambda: self.norm(self.norm(maps)),
            "conv twice": lambda: self.norm(maps) + self.conv(inputs.flip(-1)),
            "relu in place between": lambda: self.norm(maps.relu_()),
            "sum in place between": lambda: self.norm(maps.add_(1)),
        }
        return self.fc(both[self.way]().mean((2, 3)))


@pytest.mark.parametrize(
    "way", ["plain", "two norms", "norm twice", "conv twice", "relu in place between", "sum in place between"]
)
def test_a_norm_that_does_not_follow_alone_is_not_folded(networks, way):
    module = networks.seeded(lambda: Shared(way))
    copied = Folding(module, INPUTS[:2]).copy()
    assert norms(copied) == 2
    with torch.no_grad():
        torch.testing.assert_close(copied(INPUTS), module(INPUTS), rtol=1e-5, atol=1e-5)


def weight_of_others(first):
    return Pairs(nn.utils.parametrizations.weight_norm(first), nn.BatchNorm2d(6), 6)


class Standardised(nn.Conv2d):
    """Its weights are standardised in every pass."""

    def forward(self, inputs):
        weight = (self.weight - self.weight.mean((1, 2, 3), keepdim=True)) / self.weight.std((1, 2, 3), keepdim=True)
        return nn.functional.conv2d(inputs, weight, self.bias)


NOT_FOLDED = {
    "weights made of others": lambda: weight_of_others(nn.Conv2d(3, 6, 3)),
    "weights standardised": lambda: Pairs(Standardised(3, 6, 3), nn.BatchNorm2d(6), 6),
    "statistics of the batch": lambda: Pairs(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6, track_running_stats=False), 6),
    "group norm": lambda: Pairs(nn.Conv2d(3, 6, 3), nn.GroupNorm(2, 6), 6),
    "a transposed convolution": lambda: Pairs(nn.ConvTranspose2d(3, 6, 3), nn.BatchNorm2d(6), 6),
}


@pytest.mark.parametrize("case", NOT_FOLDED)
def test_what_cannot_be_folded_is_left_as_it_is(networks, case):
    module = networks.seeded(NOT_FOLDED[case])
    copied = Folding(module, INPUTS[:2]).copy()
    assert norms(copied) == norms(module)
    with torch.no_grad():
        torch.testing.assert_close(copied(INPUTS), module(INPUTS), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["tuple", "dict", "logits"])
def test_outputs_in_a_container(networks, kind):
    module = networks.seeded(lambda: networks.Wrapped(kind))
    with torch.no_grad():
        torch.testing.assert_close(logits_of(Folding(module, INPUTS[:2]).copy()(INPUTS)), module.net(INPUTS))


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16])
def test_the_user_s_module_is_not_touched(networks, kind):
    module = networks.seeded(networks.Residual).to(kind)
    module.train()
    module.block.bn1.eval()
    module.fc.weight.requires_grad_(False)
    module.stem.weight.grad = torch.ones_like(module.stem.weight)
    before = {name: (id(value), value.clone()) for name, value in module.state_dict(keep_vars=True).items()}
    flags = [(id(part), part.training, len(part._forward_hooks)) for part in module.modules()]
    for layer in (None, "block.conv1"):
        copied = Folding(module, INPUTS[:2]).copy(layer)
        assert not any(part.training for part in copied.modules())
        assert {value.dtype for value in copied.parameters()} == {torch.float32}
        assert not any(value.requires_grad for value in copied.parameters())
    assert [(id(part), part.training, len(part._forward_hooks)) for part in module.modules()] == flags
    for name, value in module.state_dict(keep_vars=True).items():
        assert id(value) == before[name][0]
        assert torch.equal(value, before[name][1])
        assert value.dtype in (kind, torch.int64)
    assert torch.equal(module.stem.weight.grad, torch.ones_like(module.stem.weight))
    assert [value.requires_grad for value in module.fc.parameters()] == [False, True]


class FiveAxes(nn.Module):
    """Its second convolution has weights of five axes, as lambda networks have."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3, stride=2), nn.BatchNorm2d(6)
        self.deep = nn.Conv3d(1, 4, (6, 1, 1))
        self.fc = nn.Linear(4, 4)

    def forward(self, inputs):
        return self.fc(self.deep(self.norm(self.conv(inputs)).relu()[:, None])[:, :, 0].mean((2, 3)))


class Inferring(Pairs):
    """Gives tensors that keep no version."""

    @torch.inference_mode()
    def forward(self, inputs):
        return super().forward(inputs)


@pytest.mark.parametrize(
    ("make", "folds"),
    [(FiveAxes, True), (lambda: Inferring(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), 6), False)],
    ids=["weights of five axes", "inference mode"],
)
def test_networks_that_torch_itself_would_stumble_over(networks, make, folds):
    module = networks.seeded(make)
    folded = Folding(module, INPUTS).copy()
    assert isinstance(folded.norm, nn.Sequential) == folds
    with torch.no_grad():
        torch.testing.assert_close(folded(INPUTS), module(INPUTS), rtol=1e-4, atol=1e-5)
