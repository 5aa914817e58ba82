"""Layers as one forward pass meets them, the automatic choices, and names."""

from __future__ import annotations

import pytest
import torch

from lumiscope.errors import LayerError, UnknownNameError
from lumiscope.models import select_layers, stages
from lumiscope.models._target_layer import target_choice, target_layer
from lumiscope.models.layers import layout_of, trace_layers
from lumiscope.models.layout import Layout


@pytest.fixture
def traced(networks, batch):
    return lambda name: trace_layers(networks.seeded(getattr(networks, name)), batch)


def target_of(module, batch):
    """The automatic layer, from its name alone to the layer itself."""
    module = module.eval()
    return target_layer(trace_layers(module, batch), module, batch[:1])


def chosen(wanted, layers):
    """Names for layers that are asked for, where no automatic layer is."""
    return select_layers(wanted, layers, lambda: pytest.fail("nobody asked for the automatic layer"))


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


def test_tokens_that_are_put_back_onto_their_grid_are_channels_last(batch):
    """As in TinyViT: no part works on the last axis of the (h, w, C) output, but its tokens have that width."""

    class OnGrid(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.patches = torch.nn.Conv2d(3, 8, 8, stride=8)
            self.mlp = torch.nn.Linear(8, 8)
            self.grid = torch.nn.Unflatten(1, (4, 5))
            self.last = torch.nn.Identity()
            self.fc = torch.nn.Linear(8, 4)

        def forward(self, inputs):
            tokens = self.mlp(self.patches(inputs).flatten(2).mT)
            return self.fc(self.last(self.grid(tokens).permute(0, 3, 1, 2)).mean((2, 3)))

    layers = by_name(trace_layers(OnGrid().eval(), batch))
    assert layers["mlp"].layout == Layout("tokens", (4, 5))
    assert layers["grid"].layout == Layout("channels_last", (4, 5))
    assert layers["grid"].units == 8
    assert layers["patches"].layout == layers["last"].layout == Layout("maps", (4, 5))


def test_maps_unfolded_into_patches_are_no_maps(batch):
    """As in MobileViT v2: (C, 4 pixels of a patch, 80 patches) has the positions of 16 × 20 maps in another order."""

    class Unfolding(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = torch.nn.Conv2d(3, 8, 2, stride=2)
            self.mix = torch.nn.Conv2d(8, 8, 1)
            self.last = torch.nn.Conv2d(8, 8, 1)
            self.fc = torch.nn.Linear(8, 4)

        def forward(self, inputs):
            maps = self.stem(inputs)
            patches = torch.nn.functional.pixel_unshuffle(maps, 2).reshape(len(maps), 8, 4, 80)
            patches = patches + self.mix(patches)
            maps = torch.nn.functional.pixel_shuffle(patches.reshape(len(maps), 32, 8, 10), 2)
            return self.fc(self.last(maps).mean((2, 3)))

    layers = trace_layers(Unfolding().eval(), batch)
    assert by_name(layers)["stem"].layout == by_name(layers)["last"].layout == Layout("maps", (16, 20))
    with pytest.raises(LayerError, match=r"mix gives shape \(8, 4, 80\)"):
        layout_of("mix", layers)


def test_norms_of_channels_first_maps_are_spatial(batch):
    class LayerNorm2d(torch.nn.LayerNorm):
        def forward(self, inputs):
            return super().forward(inputs.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    layers = by_name(trace_layers(torch.nn.Sequential(torch.nn.Conv2d(3, 6, 3), LayerNorm2d(6)).eval(), batch))
    assert layers["1"].spatial
    assert layers["1"].units == 6


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_torchscript_hides_its_layers(batch):
    """A part of a network is left out, a whole network is refused."""
    part = torch.jit.trace(torch.nn.Sequential(torch.nn.Conv2d(3, 6, 3), torch.nn.ReLU()).eval(), batch)
    network = torch.nn.Sequential(part, torch.nn.Conv2d(6, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    assert list(by_name(trace_layers(network.eval(), batch))) == ["1", "2", "3"]
    with pytest.raises(LayerError, match=r"TorchScript hides its layers. Use a method that needs no layer"):
        trace_layers(part, batch)


def test_tracing_leaves_no_hooks(networks, batch):
    module = networks.seeded(networks.Residual).train()
    trace_layers(module, batch)
    assert not any(part._forward_hooks for part in module.modules())
    assert all(part.training for part in module.modules())


@pytest.mark.parametrize(
    ("network", "expected"),
    [("plain", "3"), ("Residual", "act"), ("InPlace", "relu"), ("Dense", "two"), ("Reused", "mix")],
)
def test_target_layer_is_the_last_map_before_pooling(networks, batch, network, expected):
    assert target_of(networks.seeded(getattr(networks, network)), batch).name == expected


def test_a_pooling_is_no_target(batch):
    layers = [torch.nn.Conv2d(3, 5, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten()]
    assert target_of(torch.nn.Sequential(*layers), batch).name == "1"


def test_parts_that_change_nothing_are_no_target(batch):
    layers = [torch.nn.Conv2d(3, 5, 3), torch.nn.ReLU(), torch.nn.Dropout2d(), torch.nn.Identity(), torch.nn.Flatten()]
    assert target_of(torch.nn.Sequential(*layers), batch).name == "1"


def test_a_container_with_its_own_forward_is_a_block(batch):
    class Concatenates(torch.nn.ModuleDict):
        def forward(self, inputs):
            return torch.cat([part(inputs) for part in self.values()], 1)

    parts = {"a": torch.nn.Conv2d(3, 4, 3), "b": torch.nn.Conv2d(3, 5, 3)}
    target = target_of(torch.nn.Sequential(Concatenates(parts), torch.nn.Flatten()), batch)
    assert (target.name, target.units) == ("0", 9)


@pytest.mark.parametrize(
    ("network", "options", "expected", "prefix"),
    [
        ("Patches", {}, "mlp", 0),
        ("HubViT", {"pooling": "mean"}, "norm", 1),
        ("HubViT", {"pooling": "mean", "registers": 3}, "norm", 4),
        # what follows the last attention sees the class token alone; query, key and value are no place for all of it
        ("HubViT", {}, "blocks.1.norm1", 1),
        ("HubViT", {"registers": 4}, "blocks.1.norm1", 5),
        ("HubViT", {"depth": 1}, "blocks.0.norm1", 1),
        ("HubViT", {"depth": 4}, "blocks.3.norm1", 1),
    ],
)
def test_target_layer_of_tokens_is_the_last_that_the_patches_act_through(
    networks, batch, network, options, expected, prefix
):
    module = networks.seeded(lambda: getattr(networks, network)(**options))
    target = target_of(module, batch)
    assert (target.name, target.units, target.layout) == (expected, 8, Layout("tokens", (4, 5), prefix))
    assert all(parameter.grad is None and parameter.requires_grad for parameter in module.parameters())
    assert not any(part._forward_hooks for part in module.modules())


def test_target_layer_of_channels_last_maps(networks, batch):
    target = target_of(networks.seeded(networks.ChannelsLast), batch)
    assert (target.name, target.units, target.layout) == ("mlp", 8, Layout("channels_last", (4, 5)))


def test_maps_that_nothing_reads_are_no_target(networks, batch):
    """As in PiT: a network that ends in maps, but whose scores come from a class token beside them."""

    class Returns(networks.HubViT):
        def __init__(self):
            super().__init__(output="tensor")
            self.unread = torch.nn.Conv2d(8, 8, 1)

        def forward(self, inputs):
            return super().forward(inputs) + 0 * self.unread(self.embeddings.proj(inputs)).detach().mean((2, 3))[:, :4]

    assert target_of(networks.seeded(Returns), batch).name == "blocks.1.norm1"


def test_where_no_gradient_tells_the_last_tokens_are_the_target_and_that_is_said(networks, batch):
    module = networks.seeded(lambda: networks.HubViT())
    module.forward = torch.no_grad()(module.forward)
    choice = target_choice(trace_layers(module, batch), module, batch[:1])
    assert choice.layer.name == "norm"
    assert "no gradient reaches its layers; norm is the last with positions" in choice.notes[0]


@pytest.mark.parametrize("weights", ["head.weight", "blocks.1.attention.out.weight", "blocks.1.mlp.2.weight"])
def test_weights_of_zero_change_nothing_of_the_choice(networks, batch, weights):
    module = networks.seeded(lambda: networks.HubViT())
    torch.nn.init.zeros_(module.get_parameter(weights))
    before = {name: weight.clone() for name, weight in module.state_dict().items()}
    choice = target_choice(trace_layers(module, batch), module, batch[:1])
    assert (choice.layer.name, choice.notes) == ("blocks.1.norm1", ())
    assert all(torch.equal(weight, before[name]) for name, weight in module.state_dict().items())


@pytest.mark.parametrize("surroundings", [torch.no_grad, torch.enable_grad])
def test_the_surroundings_do_not_decide(networks, batch, surroundings):
    with surroundings():
        assert target_of(networks.seeded(networks.HubViT), batch).name == "blocks.1.norm1"


def test_what_is_inside_attention_is_no_map(networks, batch):
    layers = trace_layers(networks.seeded(networks.HubViT), batch)
    assert layout_of("blocks.0.attention.key", layers) == Layout("tokens", (4, 5), 1)
    assert layout_of("blocks.0.attention", layers) == Layout("tokens", (4, 5), 1)
    with pytest.raises(LayerError, match=r"softmax gives shape \(2, 21, 21\)"):
        layout_of("blocks.0.attention.softmax", layers)


@pytest.mark.parametrize(
    ("layer", "message"),
    [("4", r"4 gives shape \(8, 1, 1\)"), ("6", r"6 gives shape \(4,\)"), ("7", "7 gives no tensor")],
)
def test_a_layer_without_a_map_says_what_it_gives(traced, layer, message):
    with pytest.raises(LayerError, match=rf"expected a layer whose output holds a map.*; {message}"):
        layout_of(layer, traced("plain"))


def test_a_network_without_maps_has_no_target_layer_and_no_stages(batch):
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3840, 4))
    with pytest.raises(LayerError, match=r"this one has none\. Use a method that needs no layer, like lime"):
        target_of(module, batch)
    with pytest.raises(LayerError, match="auto:N"):
        chosen(["auto:5"], trace_layers(module, batch))


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
    module = residual_stages()
    layers = trace_layers(module, batch)
    assert select_layers(wanted, layers, lambda: target_layer(layers, module, batch).name) == expected


def test_an_unknown_layer_names_the_nearest(traced):
    with pytest.raises(UnknownNameError, match=r"unknown layer 'block\.conv3': did you mean block\.conv"):
        chosen(["block.conv3"], traced("Residual"))
    with pytest.raises(UnknownNameError, match="unknown layer 'nothing"):
        chosen(["nothing*"], traced("Residual"))
