"""Heads that are pooling and one linear layer are found, with the right weights; others never are."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from lumiscope.images import Geometry
from lumiscope.models import TorchModel

SIZE = (32, 40)


def model_of(module):
    return TorchModel(module.eval(), Geometry(SIZE, mode="squash"), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


def weights_of(model, layer):
    inputs = torch.randn(1, 3, *SIZE, generator=torch.Generator().manual_seed(5))
    cut = model.split(layer).trunk(inputs)
    return model.reference.linear_head(layer, cut, model.layout(layer))


def stem(*after, width=6):
    return nn.Sequential(nn.Conv2d(3, width, 4, stride=4), *after)


class Ended(nn.Module):
    """`end(maps)` makes logits, with `fc` and `more` as it likes."""

    def __init__(self, end, fc=None, more=None):
        super().__init__()
        self.maps = nn.Conv2d(3, 6, 4, stride=4)
        self.fc = fc or nn.Linear(6, 4)
        self.more = more or nn.Identity()
        self.end = end

    def forward(self, inputs):
        return self.end(self, self.maps(inputs))


POOLED = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
FOUND = {
    "signed features": lambda: (stem(*POOLED, nn.Linear(6, 4)), "0"),
    "relu features": lambda: (stem(nn.ReLU(), *POOLED, nn.Linear(6, 4)), "1"),
    "relu in place": lambda: (stem(nn.ReLU(inplace=True), *POOLED, nn.Linear(6, 4)), "1"),
    "as many classes as channels": lambda: (stem(*POOLED, nn.Linear(6, 6)), "0"),
    "dropout": lambda: (stem(*POOLED, nn.Dropout(0.9), nn.Linear(6, 4)), "0"),
    "no bias": lambda: (stem(*POOLED, nn.Linear(6, 4, bias=False)), "0"),
    "two positions": lambda: (nn.Sequential(nn.Conv2d(3, 6, 4, stride=31), *POOLED, nn.Linear(6, 4)), "0"),
    "pool, then a 1×1 convolution": lambda: (stem(nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 4, 1)), "0"),
    "a 1×1 convolution, then pool": lambda: (stem(nn.Conv2d(6, 4, 1), nn.AdaptiveAvgPool2d(1)), "0"),
    "single logit": lambda: (stem(*POOLED, nn.Linear(6, 1)), "0"),
    "single logit without its axis": lambda: (stem(*POOLED, nn.Linear(6, 1), nn.Flatten(0)), "0"),
    "functions": lambda: (
        Ended(lambda self, maps: self.fc(functional.adaptive_avg_pool2d(maps, 1)[..., 0, 0])),
        "maps",
    ),
    "in a tuple": lambda: (Ended(lambda self, maps: (self.fc(maps.mean((2, 3))), maps)), "maps"),
}


@pytest.mark.parametrize("case", FOUND)
@pytest.mark.parametrize("seed", range(2))
def test_the_weights_are_those_of_the_head(networks, case, seed):
    """W (classes, C) is the gradient of the scores to the means, and the scores are linear in them."""
    module, layer = FOUND[case]()
    model = model_of(networks.seeded(lambda: module, seed))
    weights = weights_of(model, layer)
    assert weights is not None
    halves = model.split(layer)
    cut = halves.trunk(torch.randn(1, 3, *SIZE, generator=torch.Generator().manual_seed(6)))
    other = torch.randn_like(cut.activations)
    with torch.no_grad():
        difference = halves.head(cut.with_activations(other)) - halves.head(cut)
    moved = (other - cut.activations).mean((2, 3))
    torch.testing.assert_close(difference, moved @ weights.T, atol=1e-4, rtol=1e-4)


NOT_FOUND = {
    "two linear layers": lambda: (stem(*POOLED, nn.Linear(6, 6), nn.Linear(6, 4)), "0"),
    "two of one size": lambda: (stem(*POOLED, nn.Linear(6, 6), nn.Linear(6, 6)), "0"),
    "a hidden layer": lambda: (stem(*POOLED, nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4)), "0"),
    "ReLU before pooling": lambda: (stem(nn.ReLU(), *POOLED, nn.Linear(6, 4)), "0"),
    "ReLU after pooling": lambda: (stem(*POOLED, nn.ReLU(), nn.Linear(6, 4)), "0"),
    "ReLU at the end": lambda: (stem(nn.Conv2d(6, 4, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1)), "0"),
    "a smoothed softmax at the end": lambda: (
        Ended(lambda self, maps: 0.9 * self.fc(maps.mean((2, 3))).softmax(1) + 0.025),
        "maps",
    ),
    "maximum": lambda: (stem(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(6, 4)), "0"),
    "four quarters": lambda: (stem(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, 4)), "0"),
    "a further convolution": lambda: (stem(nn.Conv2d(6, 6, 3, padding=1), *POOLED, nn.Linear(6, 4)), "0"),
    "batch norm": lambda: (stem(nn.BatchNorm2d(6), *POOLED, nn.Linear(6, 4)), "0"),
    "batch norm behind": lambda: (stem(*POOLED, nn.Linear(6, 4), nn.BatchNorm1d(4)), "0"),
    "layer norm": lambda: (stem(*POOLED, nn.LayerNorm(6), nn.Linear(6, 4)), "0"),
    "a sum": lambda: (Ended(lambda self, maps: self.fc(maps.sum((2, 3)))), "maps"),
    "squares": lambda: (Ended(lambda self, maps: self.fc((maps**2).mean((2, 3)))), "maps"),
    "unit length": lambda: (Ended(lambda self, maps: self.fc(functional.normalize(maps.mean((2, 3))))), "maps"),
    "its own input, too": lambda: (
        Ended(lambda self, maps: self.fc(maps.mean((2, 3))) + self.more(maps.mean((2, 3))), None, nn.Linear(6, 4)),
        "maps",
    ),
    "grouped": lambda: (
        nn.Sequential(nn.Conv2d(3, 8, 4, stride=4), nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1, groups=2)),
        "0",
    ),
}


@pytest.mark.parametrize("case", NOT_FOUND)
@pytest.mark.parametrize("seed", range(2))
def test_other_heads_are_not_taken_for_one(networks, case, seed):
    module, layer = NOT_FOUND[case]()
    assert weights_of(model_of(networks.seeded(lambda: module, seed)), layer) is None


def test_a_softmax_at_the_end_is_taken_off_and_hides_no_linear_head(networks):
    module = networks.seeded(lambda: stem(*POOLED, nn.Linear(6, 4), nn.Softmax(1)))
    assert torch.equal(weights_of(model_of(module), "0"), module[-2].weight)


def test_a_clamp_that_only_real_activations_reach_is_noticed(networks):
    """Random probes stay below 100; the picture's own activations do not."""
    module = networks.seeded(lambda: Ended(lambda self, maps: self.fc(maps.mean((2, 3)).clamp(-100, 100))))
    with torch.no_grad():
        module.maps.bias.fill_(150)
    assert weights_of(model_of(module), "maps") is None


def test_of_several_classifiers_the_one_that_is_used_is_found(networks):
    class Heads(nn.Module):
        """As with an auxiliary or a distillation head."""

        def __init__(self):
            super().__init__()
            self.maps = nn.Conv2d(3, 6, 4, stride=4)
            self.unused, self.used = nn.Linear(6, 4), nn.Linear(6, 4)

        def forward(self, inputs):
            return self.used(self.maps(inputs).mean((2, 3)))

    module = networks.seeded(Heads)
    assert torch.equal(weights_of(model_of(module), "maps"), module.used.weight)


@pytest.mark.parametrize("network", ["Patches", "ChannelsLast"])
def test_of_other_orders_of_axes(networks, network):
    module = networks.seeded(getattr(networks, network))
    layer = {"Patches": "mlp", "ChannelsLast": "last"}[network]
    weights = weights_of(model_of(module), layer)
    if network == "Patches":  # what bypasses the layer is added again behind it
        assert weights is None
    else:
        assert torch.equal(weights, module.head.weight)


def test_a_head_that_takes_no_other_activations_is_not_linear(networks):
    class Checks(nn.Module):
        def __init__(self):
            super().__init__()
            self.maps = nn.Conv2d(3, 6, 4, stride=4)
            self.act = nn.ReLU()
            self.fc = nn.Linear(6, 4)

        def forward(self, inputs):
            maps = self.act(self.maps(inputs))
            if float(maps.detach().min()) < 0:
                raise RuntimeError("negative")
            return self.fc(maps.mean((2, 3)))

    assert weights_of(model_of(networks.seeded(Checks)), "act") is None
