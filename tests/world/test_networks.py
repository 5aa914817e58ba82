"""The world's network: five stages that lumiscope finds, few multiplications, and a graph that can be cut."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import fx, nn

from lumiscope.models import select_layers, split
from lumiscope.models._target_layer import target_layer
from lumiscope.models.layers import trace_layers
from lumiscope.world.clip import WorldClip
from lumiscope.world.networks import MEAN, STD, WorldNet, normalised

STAGES = [f"stage{number}" for number in range(1, 6)]
MOST_MULTIPLY_ADDS = 60e6


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return WorldNet(12).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def images():
    return torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))


def multiply_adds(module):
    """Of one 128×128 image, in convolutions and linear layers."""
    counts = []

    def count(part, _, output):
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            counts.append(output[0].numel() * part.weight[0].numel())

    handles = [part.register_forward_hook(count) for part in module.modules()]
    with torch.no_grad():
        module.eval()(torch.zeros(1, 3, 128, 128))
    for handle in handles:
        handle.remove()
    return sum(counts)


def test_auto_finds_the_five_stages(network, images):
    layers = trace_layers(network, images)
    target = target_layer(layers, network, images[:1]).name
    assert target == "stage5"
    assert select_layers(["auto", "auto:5"], layers, lambda: target) == ["stage5", *STAGES[:-1]]
    sizes = {layer.name: layer.shape[1:] for layer in layers if layer.name in STAGES}
    assert sizes == dict(zip(STAGES, [(32, 32), (16, 16), (16, 16), (8, 8), (8, 8)], strict=True))


def test_multiply_adds_of_a_known_network():
    assert multiply_adds(nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.Flatten(), nn.Linear(4 * 64**2, 5))) == (
        64 * 64 * 4 * 27 + 5 * 4 * 64**2
    )


def test_an_image_costs_at_most_60_million_multiply_adds(network):
    assert multiply_adds(network) < MOST_MULTIPLY_ADDS
    assert multiply_adds(WorldClip().image) < MOST_MULTIPLY_ADDS


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_can_be_cut_and_is_not_negative(network, images, stage):
    cut = split(network, stage, images)
    assert cut.kind == "graph"
    activations = cut.trunk(images).activations
    assert activations.min() == 0
    assert activations.max() > 0


def test_the_graph_is_the_network(network, images):
    torch.testing.assert_close(fx.symbolic_trace(network)(images), network(images))


def test_the_head_is_linear_on_the_mean_of_the_last_maps(network, images):
    maps = split(network, "stage5", images).trunk(images).activations
    expected = maps.mean(dim=(2, 3)) @ network.fc.weight.T + network.fc.bias
    torch.testing.assert_close(network(images), expected)


def test_normalised_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
    before = pixels.copy()
    images = normalised(pixels)
    expected = (pixels / 255 - MEAN) / STD
    np.testing.assert_allclose(images.numpy(), expected.transpose(0, 3, 1, 2), atol=1e-6)
    assert images.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(pixels, before)
