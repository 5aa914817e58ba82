"""The same architecture with random weights: nothing trained is left, and the scale of activations is kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.images import Geometry
from lumiscope.models import (
    RANDOMISATIONS,
    TorchModel,
    batch_statistics,
    randomised,
    untrained,
    with_network,
    with_statistics,
)


class Tokens(torch.nn.Module):
    """A ViT in small: bare parameters, LayerScale, attention, normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = torch.nn.Conv2d(3, 8, 4, 4)
        self.class_token = torch.nn.Parameter(torch.randn(1, 1, 8))
        self.position = torch.nn.Parameter(torch.randn(1, 17, 8))
        self.attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
        self.scale = torch.nn.Parameter(torch.randn(8))
        self.first, self.second = torch.nn.Linear(8, 8), torch.nn.Linear(8, 8)
        self.norm = torch.nn.LayerNorm(8)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(tokens), -1, -1), tokens], 1) + self.position
        tokens = tokens + self.scale * self.attention(tokens, tokens, tokens)[0]
        return self.norm(self.second(self.first(tokens)))[:, 0]


class Frozen(torch.nn.Module):
    """Batch norm whose numbers are all buffers."""

    def __init__(self, count: int) -> None:
        super().__init__()
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, torch.rand(count) * 50)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        mean, scale = self.running_mean, self.weight / (self.running_var + 1e-5).sqrt()
        return (maps - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


def trained(network: torch.nn.Module) -> torch.nn.Module:
    """With weights that no initialisation gives."""
    with torch.no_grad():
        for value in network.parameters():
            value.copy_(torch.rand_like(value) + 3)
    return network.eval()


def convolutions(norm: type[torch.nn.Module]) -> torch.nn.Module:
    blocks = [part for _ in range(6) for part in (torch.nn.Conv2d(8, 8, 3, padding=1), norm(8), torch.nn.ReLU())]
    ending = [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 4)]
    return torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), *blocks, *ending)


NETWORKS = {
    "tokens": Tokens,
    "batch norm": lambda: convolutions(torch.nn.BatchNorm2d),
    "frozen batch norm": lambda: convolutions(Frozen),
    "weight norm": lambda: torch.nn.Sequential(
        torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv2d(3, 4, 3)),
        torch.nn.Flatten(),
        torch.nn.Linear(784, 3),
    ),
}


@pytest.fixture(params=NETWORKS)
def network(request) -> torch.nn.Module:
    torch.manual_seed(0)
    return trained(NETWORKS[request.param]())


def values(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_no_trained_weight_is_left_and_the_network_stays(network):
    before, state = values(network), torch.get_rng_state()
    drawn = values(untrained(network, 1))
    assert all(torch.equal(value, before[name]) for name, value in values(network).items())
    assert torch.equal(torch.get_rng_state(), state)
    assert [name for name, value in network.named_parameters() if torch.equal(value, drawn[name])] == []


def test_the_seed_decides(network):
    first, same, other = (values(untrained(network, seed)) for seed in (1, 1, 2))
    assert all(torch.equal(first[name], same[name]) for name in first)
    weights = [name for name, value in network.named_parameters() if value.ndim > 1]
    assert all(not torch.equal(first[name], other[name]) for name in weights)


def test_equal_layers_differ():
    drawn = untrained(trained(Tokens()), 0)
    assert not torch.equal(drawn.first.weight, drawn.second.weight)


def test_without_batch_norm_all_keep_their_values_in_another_order():
    network = trained(Tokens())
    drawn = dict(untrained(network, 0).named_parameters())
    for name, before in network.named_parameters():
        assert (before != drawn[name]).all(), name
        assert torch.equal(before.flatten().sort().values, drawn[name].flatten().sort().values)


def test_a_reset_that_asks_for_more_is_not_called():
    class Asking(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.arange(50.0))

        def reset_parameters(self, scale: float) -> None:
            raise AssertionError("it was not given its scale")

    drawn = untrained(Asking(), 0)
    assert sorted(drawn.weight.tolist()) == list(range(50)) != drawn.weight.tolist()


@pytest.mark.parametrize("how", RANDOMISATIONS)
def test_every_way_takes_every_tensor(network, how):
    """Bare ones, those of normalisations and buffers of frozen ones too, none from the same draws as another."""
    before, state = values(network), torch.get_rng_state()
    drawn, again, other = (values(randomised(network, seed, how)) for seed in (1, 1, 2))
    assert all(torch.equal(value, before[name]) for name, value in values(network).items())
    assert torch.equal(torch.get_rng_state(), state)
    learnt = [name for name in before if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))]
    assert [name for name in learnt if torch.equal(before[name], drawn[name])] == []
    assert all(torch.equal(drawn[name], again[name]) for name in learnt)
    several = [name for name in learnt if before[name].numel() >= 8]
    assert [name for name in several if torch.equal(drawn[name], other[name])] == []
    matrices = [(drawn[name].double() - before[name].double()).flatten()[:64] for name in several]
    pairs = [(a, b) for a in range(len(matrices)) for b in range(a) if matrices[a].shape == matrices[b].shape]
    assert not any(torch.equal(matrices[a], matrices[b]) for a, b in pairs)


def test_what_is_shuffled_keeps_its_numbers_and_what_is_drawn_their_mean_and_spread():
    network = torch.nn.Linear(200, 200)
    torch.nn.init.normal_(network.weight, 2.0, 0.5)
    shuffled, drawn = (randomised(network, 0, how).weight.detach() for how in ("shuffled", "drawn"))
    assert torch.equal(shuffled.flatten().sort().values, network.weight.detach().flatten().sort().values)
    assert abs(drawn.mean().item() - 2) < 4 * 0.5 / 200  # four standard errors of 40,000 numbers
    assert abs(drawn.std().item() - 0.5) < 4 * 0.5 / (200 * 2**0.5)
    scale = randomised(torch.nn.PReLU(1, 0.25), 0, "drawn").weight.item()
    assert scale != 0.25


@pytest.mark.parametrize("norm", [torch.nn.BatchNorm2d, Frozen])
def test_every_normalisation_fits_the_images(norm):
    """After it each channel has mean 0 and variance 1 on the images that it was measured on."""
    drawn = untrained(trained(convolutions(norm)), 0)
    images = torch.randn(8, 3, 16, 16) * 40 + 100
    before = values(drawn)
    statistics = batch_statistics(drawn, images)
    assert all(torch.equal(value, before[name]) for name, value in values(drawn).items())
    seen = []
    for part in with_statistics(drawn, statistics).modules():
        if isinstance(part, norm):
            part.register_forward_hook(lambda part, given, maps: seen.append(maps.transpose(0, 1).flatten(1)))
    drawn(images)
    assert len(seen) == 6
    for maps in seen:
        np.testing.assert_allclose(maps.mean(1).detach(), 0, atol=1e-4)
        np.testing.assert_allclose(maps.var(1, unbiased=False).detach(), 1, rtol=0.02)


def test_a_model_of_the_network_has_a_fingerprint_of_its_own():
    model = TorchModel(Tokens().eval(), Geometry((16, 16)), mean=(0.5,), std=(0.5,))
    before = model.fingerprint
    controls = [with_network(model, untrained(model.network, seed)) for seed in (0, 1)]
    assert len({before, *(control.fingerprint for control in controls)}) == 3
    assert model.fingerprint == before
    assert [layer.name for layer in controls[0].layers] == [layer.name for layer in model.layers]
    inputs = torch.randn(2, 3, 16, 16)
    assert not torch.allclose(controls[0].logits(inputs), model.logits(inputs))
