"""head(trunk(x)) == model(x), and what is changed at the cut changes the output as a hook there does."""

from __future__ import annotations

import pytest
import torch

from lumiscope.errors import LayerError, ModelError
from lumiscope.models import Cut, split

CASES = [
    ("plain", "1", "graph"),
    ("plain", "2", "graph"),
    ("plain", "5", "graph"),
    ("Residual", "stem", "graph"),
    ("Residual", "block", "graph"),
    ("Residual", "block.conv1", "graph"),
    ("Residual", "block.bn1", "graph"),
    ("Residual", "block.conv2", "graph"),
    ("Residual", "block.relu", "graph"),
    ("InPlace", "bn", "graph"),
    ("InPlace", "relu", "graph"),
    ("OverwritesContext", "right", "rerun"),
    ("Reused", "mix", "graph"),
    ("Dense", "stem", "graph"),
    ("Dense", "one", "graph"),
    ("Dense", "two", "graph"),
    ("DataDependent", "stem", "rerun"),
    ("DataDependent", "mix", "rerun"),
    ("TupleLayer", "pair", "rerun"),
    ("DictLayer", "parts", "rerun"),
    ("Functional", "conv1", "graph"),
    ("Functional", "conv2", "graph"),
    ("Patches", "norm", "graph"),
    ("ChannelsLast", "norm", "graph"),
    ("Tokens", "embeddings", "graph"),
    ("Tokens", "blocks.0", "graph"),
    ("Tokens", "blocks.1.norm1", "graph"),
    ("Tokens", "blocks.0.attention", "rerun"),
    ("Tokens", "blocks.0.attention.query", "graph"),
]
every_case = pytest.mark.parametrize(("network", "layer", "kind"), CASES, ids=[f"{a}-{b}" for a, b, _ in CASES])


def run_with(module, layer, inputs, change):
    """The slow way: the whole network, with `change` applied to the output of the layer's last run."""
    part, calls = module.get_submodule(layer), []
    handle = part.register_forward_hook(lambda *_: calls.append(1))
    module(inputs)
    handle.remove()
    left = len(calls)

    def hook(_, __, output):
        nonlocal left
        left -= 1
        if left:
            return None
        if isinstance(output, dict):
            return {**output, "logits": change(output["logits"].clone())}
        return (change(output[0].clone()), *output[1:]) if isinstance(output, tuple) else change(output.clone())

    handle = part.register_forward_hook(hook)
    try:
        return module(inputs)
    finally:
        handle.remove()


def build(networks, network, seed=0, dtype=torch.float32):
    make = (lambda: networks.HubViT(output="tensor")) if network == "Tokens" else getattr(networks, network)
    module = networks.seeded(make, seed, dtype)
    return module.requires_grad_(False)


@every_case
def test_head_of_trunk_is_the_model(networks, batch, network, layer, kind):
    module = build(networks, network)
    expected = module(batch)
    halves = split(module, layer, batch)
    assert halves.layer == layer
    assert halves.kind == kind
    torch.testing.assert_close(halves.head(halves.trunk(batch)), expected, rtol=1e-5, atol=1e-5)


@every_case
def test_a_cut_serves_batches_of_other_sizes(networks, batch, network, layer, kind):
    module = build(networks, network)
    halves = split(module, layer, batch[:2])
    more = torch.randn(5, 3, 32, 40, generator=torch.Generator().manual_seed(2))
    for inputs in (batch, more, more[:1]):
        torch.testing.assert_close(halves.head(halves.trunk(inputs)), module(inputs), rtol=1e-5, atol=1e-5)


@every_case
def test_the_head_leaves_the_cut_as_it_was(networks, batch, network, layer, kind):
    halves = split(build(networks, network), layer, batch)
    cut = halves.trunk(batch)
    before = [part.clone() for part in (cut.activations, *cut.context)]
    first = halves.head(cut)
    assert all(torch.equal(old, new) for old, new in zip(before, (cut.activations, *cut.context), strict=True))
    assert torch.equal(halves.head(cut), first)


@every_case
def test_activations_are_the_output_of_the_layer(networks, batch, network, layer, kind):
    module = build(networks, network)
    seen = []
    run_with(module, layer, batch, lambda output: seen.append(output.clone()) or output)
    torch.testing.assert_close(split(module, layer, batch).trunk(batch).activations, seen[0], rtol=1e-5, atol=1e-5)


@every_case
def test_replaced_activations_change_the_output_as_a_hook_does(networks, batch, network, layer, kind):
    module = build(networks, network)
    halves = split(module, layer, batch)
    cut = halves.trunk(batch)

    def halve_first_and_flip(output):
        output = output.flip(-1)
        output[:, 0] *= 0.5
        return output

    changed = Cut(halve_first_and_flip(cut.activations.clone()), cut.context)
    torch.testing.assert_close(
        halves.head(changed), run_with(module, layer, batch, halve_first_and_flip), rtol=1e-5, atol=1e-5
    )


@every_case
def test_one_image_with_each_channel_ablated_in_one_batch(networks, batch, network, layer, kind):
    module = build(networks, network)
    halves = split(module, layer, batch)
    row = halves.trunk(batch).row(1)
    axis = -1 if network in ("Patches", "Tokens", "ChannelsLast") else 1
    channels = row.activations.shape[axis]
    ablated = row.activations.repeat(channels, *[1] * (row.activations.ndim - 1))
    ablated.movedim(axis, 1)[torch.arange(channels), torch.arange(channels)] = 0
    outputs = halves.head(row.with_activations(ablated))
    assert outputs.shape == (channels, 4)
    for channel in range(channels):

        def ablate(output, channel=channel):
            output.movedim(axis, 1)[:, channel] = 0
            return output

        expected = run_with(module, layer, batch[1:2], ablate)
        torch.testing.assert_close(outputs[channel : channel + 1], expected, rtol=1e-5, atol=1e-5)


@every_case
@pytest.mark.parametrize("seed", [0, 1])
def test_gradients_through_the_head_equal_those_of_the_whole_network(networks, batch, network, layer, kind, seed):
    module = build(networks, network, seed, torch.float64)
    inputs = batch.double()
    halves = split(module, layer, inputs)
    cut = halves.trunk(inputs)
    activations = cut.activations.detach().clone().requires_grad_()
    weights = torch.arange(1.0, 13, dtype=torch.float64).view(3, 4)
    (ours,) = torch.autograd.grad((halves.head(Cut(activations, cut.context)) * weights).sum(), activations)

    leaf = []
    logits = run_with(module, layer, inputs, lambda output: leaf.append(output.requires_grad_()) or output.clone())
    (expected,) = torch.autograd.grad((logits * weights).sum(), leaf)
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)
    assert expected.abs().max() > 0


@pytest.mark.parametrize("kind", ["tuple", "dict", "logits"])
def test_outputs_in_a_container_are_unpacked(networks, batch, kind):
    module = networks.seeded(lambda: networks.Wrapped(kind))
    halves = split(module, "net.3", batch)
    assert halves.kind == "graph"
    torch.testing.assert_close(halves.head(halves.trunk(batch)), module.net(batch))
    assert halves.head(halves.trunk(batch)).shape == (3, 4)


def test_an_output_that_is_no_classification_is_an_error(batch):
    with pytest.raises(ModelError, match=r"\(batch, classes\) logits; got a tensor of shape \(3, 4, 30, 38\)"):
        split(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)), "0", batch)


def test_a_layer_that_does_not_run_is_an_error(networks, batch):
    module = build(networks, "Residual")
    module.unused = torch.nn.Conv2d(6, 6, 1)
    with pytest.raises(LayerError, match="unused does not run"):
        split(module, "unused", batch)


def test_a_head_that_mixes_the_images_of_a_batch_is_an_error(batch):
    class Mixes(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 4, 3)

        def forward(self, inputs):
            maps = self.conv(inputs).mean((2, 3))
            return maps - maps.mean(0)

    with pytest.raises(LayerError, match="cannot be cut at conv"):
        split(Mixes(), "conv", batch)


@pytest.mark.parametrize(("network", "layer"), [("Residual", "block.bn2"), ("DataDependent", "mix")])
def test_cutting_leaves_no_hook_and_no_gradient(networks, batch, network, layer):
    module = networks.seeded(getattr(networks, network))
    before = {key: value.clone() for key, value in module.state_dict().items()}
    halves = split(module, layer, batch)
    halves.head(halves.trunk(batch)).sum().backward()
    module.zero_grad()
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())
    for part in module.modules():
        assert not part._forward_hooks
        assert not part._forward_pre_hooks
        assert not part._backward_hooks


def test_a_graph_that_fails_its_check_says_nothing_on_the_terminal(networks, batch, capfd):
    halves = split(build(networks, "OverwritesContext"), "right", batch)
    assert halves.kind == "rerun"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("factor", "kind"), [(1.05, "rerun"), (1.0005, "rerun"), (0.9995, "rerun"), (1 + 1e-6, "graph")]
)
def test_a_graph_that_is_off_by_more_than_rounding_is_not_taken(networks, batch, factor, kind):
    module = networks.seeded(lambda: networks.OtherWhenTraced(factor))
    halves = split(module, "conv2", batch)
    assert halves.kind == kind
    torch.testing.assert_close(halves.head(halves.trunk(batch)), module(batch), rtol=1e-5, atol=1e-5)
