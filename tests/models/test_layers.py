"""Layers as one forward pass meets them, the automatic choices, and names."""

from __future__ import annotations

import pytest
import torch

from lumiscope.errors import LayerError, UnknownNameError
from lumiscope.models import select_layers, stages
from lumiscope.models.layers import target_layer, trace_layers


@pytest.fixture
def traced(networks, batch):
    return lambda name: trace_layers(networks.seeded(getattr(networks, name)), batch)


def by_name(layers):
    return {layer.name: layer for layer in layers}


def test_layers_of_a_plain_network(traced):
    expected = [
        ("0", "Conv2d", (6, 16, 20), 6, True, True),
        ("1", "ReLU", (6, 16, 20), 6, True, False),
        ("2", "Conv2d", (8, 8, 10), 8, True, True),
        ("3", "ReLU", (8, 8, 10), 8, True, False),
        ("4", "AdaptiveAvgPool2d", (8, 1, 1), 8, False, False),
        ("5", "Flatten", (8,), 8, False, False),
        ("6", "Linear", (4,), 4, False, True),
    ]
    layers = traced("plain")
    assert [(lay.name, lay.kind, lay.shape, lay.units, lay.spatial, lay.weighted) for lay in layers] == expected


def test_order_is_that_of_finishing(traced):
    names = [layer.name for layer in traced("Residual")]
    assert names == ["stem", "block.conv1", "block.bn1", "block.conv2", "block.bn2", "block.relu", "block", "act", "fc"]


def test_a_module_that_runs_twice_stands_once(traced):
    assert [layer.name for layer in traced("Reused")] == ["stem", "mix", "fc"]


def test_units_of_tokens_and_of_channels_last_maps_are_their_width(traced):
    tokens = by_name(traced("Patches"))
    assert (tokens["norm"].shape, tokens["norm"].units, tokens["norm"].spatial) == ((20, 8), 8, False)
    last = by_name(traced("ChannelsLast"))
    for name in ("norm", "mlp", "last"):
        assert (last[name].shape, last[name].units, last[name].spatial) == ((4, 5, 8), 8, False)
    assert last["proj"].units == 8
    assert last["proj"].spatial


def test_norms_of_channels_first_maps_are_spatial(batch):
    class LayerNorm2d(torch.nn.LayerNorm):
        def forward(self, inputs):
            return super().forward(inputs.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    layers = by_name(trace_layers(torch.nn.Sequential(torch.nn.Conv2d(3, 6, 3), LayerNorm2d(6)).eval(), batch))
    assert layers["1"].spatial
    assert layers["1"].units == 6


def test_tracing_leaves_no_hooks(networks, batch):
    module = networks.seeded(networks.Residual).train()
    trace_layers(module, batch)
    assert not any(part._forward_hooks for part in module.modules())
    assert all(part.training for part in module.modules())


@pytest.mark.parametrize(
    ("network", "expected"),
    [("plain", "3"), ("Residual", "act"), ("InPlace", "relu"), ("Dense", "two"), ("Reused", "mix")],
)
def test_target_layer_is_the_last_map_before_pooling(traced, network, expected):
    assert target_layer(traced(network)).name == expected


def test_a_pooling_is_no_target(batch):
    layers = [torch.nn.Conv2d(3, 5, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten()]
    found = trace_layers(torch.nn.Sequential(*layers), batch)
    assert target_layer(found).name == "1"


def test_parts_that_change_nothing_are_no_target(batch):
    layers = [torch.nn.Conv2d(3, 5, 3), torch.nn.ReLU(), torch.nn.Dropout2d(), torch.nn.Identity(), torch.nn.Flatten()]
    found = trace_layers(torch.nn.Sequential(*layers), batch)
    assert target_layer(found).name == "1"


def test_a_container_with_its_own_forward_is_a_block(batch):
    class Concatenates(torch.nn.ModuleDict):
        def forward(self, inputs):
            return torch.cat([part(inputs) for part in self.values()], 1)

    parts = {"a": torch.nn.Conv2d(3, 4, 3), "b": torch.nn.Conv2d(3, 5, 3)}
    layers = trace_layers(torch.nn.Sequential(Concatenates(parts), torch.nn.Flatten()), batch)
    assert target_layer(layers).name == "0"
    assert target_layer(layers).units == 9


@pytest.mark.parametrize("network", ["Patches", "ChannelsLast"])
def test_a_network_of_tokens_has_no_target_layer(traced, network):
    with pytest.raises(LayerError, match="tokens, or channels last"):
        target_layer(traced(network))


def test_a_network_without_maps_has_no_target_layer_and_no_stages(batch):
    layers = trace_layers(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3840, 4)), batch)
    with pytest.raises(LayerError, match="this one has none"):
        target_layer(layers)
    with pytest.raises(LayerError, match="auto:N"):
        select_layers(["auto:5"], layers)


def residual_stages():
    """Two stages of two blocks each, in containers, with a stem and a head."""
    conv = torch.nn.Conv2d
    return torch.nn.Sequential(
        torch.nn.Sequential(conv(3, 4, 3, 2, 1), torch.nn.ReLU()),
        torch.nn.Sequential(conv(4, 6, 3, 2, 1), torch.nn.ReLU(), torch.nn.Sequential(conv(6, 6, 1), torch.nn.ReLU())),
        torch.nn.MaxPool2d(2),
        torch.nn.Sequential(conv(6, 8, 3, 1, 1), torch.nn.ReLU()),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 4),
    )


def test_stages_are_named_after_the_container_that_holds_only_them(batch):
    assert [layer.name for layer in stages(trace_layers(residual_stages(), batch))] == ["0", "1", "3"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (["auto"], ["3"]),
        (["auto:1"], ["3"]),
        (["auto:2"], ["1", "3"]),
        (["auto:9"], ["0", "1", "3"]),
        (["1.*"], ["1.0", "1.1", "1.2.0", "1.2.1", "1.2"]),
        (["1.2", "0.?", "1.2"], ["1.2", "0.0", "0.1"]),
        (["[01]"], ["0", "1"]),
    ],
)
def test_choosing_layers(batch, wanted, expected):
    assert select_layers(wanted, trace_layers(residual_stages(), batch)) == expected


def test_an_unknown_layer_names_the_nearest(traced):
    with pytest.raises(UnknownNameError, match=r"unknown layer 'block\.conv3': did you mean block\.conv"):
        select_layers(["block.conv3"], traced("Residual"))
    with pytest.raises(UnknownNameError, match="unknown layer 'nothing"):
        select_layers(["nothing*"], traced("Residual"))
