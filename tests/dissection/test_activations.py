"""Activations of any layers in one pass: pooled as defined, read before anybody changes them, nothing left behind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lumiscope.dissection import Probe, collect_activations, map_probe, unit_probe
from lumiscope.dissection.activations import pool
from lumiscope.errors import LayerError, UnknownNameError
from lumiscope.images import Geometry
from lumiscope.models import TorchModel


class Small(nn.Module):
    """A convolution, an in-place ReLU on its output, a layer that runs twice, a tuple and one that never runs."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.relu = nn.ReLU(inplace=True)
        self.twice = nn.Conv2d(4, 4, 1)
        self.pair = Pair()
        self.unused = nn.Linear(2, 2)
        self.head = nn.Linear(4, 5)

    def forward(self, x):
        x = self.relu(self.conv(x))
        x = self.twice(self.twice(x))
        return self.head(self.pair(x)[0].mean(dim=(2, 3))).mul_(2)


class Pair(nn.Module):
    def forward(self, x):
        return x + 1, x


class Counted(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model, self.calls = model, 0

    def forward(self, x):
        self.calls += 1
        return self.model(x)


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Small().eval()


@pytest.fixture
def batches():
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(4, 3, 8, 8, generator=generator), torch.randn(2, 3, 8, 8, generator=generator)]


def hooks_of(model):
    return [module for module in model.modules() if module._forward_hooks]


def means(**modules):
    """Probes of the mean over space of (B, U, h, w), and of vectors as they are."""
    return {
        name: Probe(module, lambda output: pool(output, tuple(range(2, output.ndim))))
        for name, module in modules.items()
    }


def model_of(module, size=(32, 40)):
    return TorchModel(module, Geometry(size), mean=(0.5,) * 3, std=(0.5,) * 3)


def read(model, layer, batch, pooling="mean"):
    (columns,) = collect_activations([batch], model.network, {layer: unit_probe(model, layer, pooling)})
    return columns[layer]


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_pools_over_the_axes(pooling):
    x = torch.arange(24.0).reshape(2, 3, 2, 2)
    reduce = {"mean": np.mean, "max": np.max}[pooling]
    np.testing.assert_array_equal(pool(x, (2, 3), pooling), reduce(x.numpy(), axis=(2, 3)))
    np.testing.assert_array_equal(pool(x, (1, 2), pooling), reduce(x.numpy(), axis=(1, 2)))
    np.testing.assert_array_equal(pool(x[..., 0], (1,), pooling), reduce(x[..., 0].numpy(), axis=1))
    np.testing.assert_array_equal(pool(x[..., 0, 0], (), pooling), x[..., 0, 0])


def test_half_precision_is_summed_in_float32():
    """4,096 ones: bfloat16 sums would stop growing at 256."""
    x = torch.ones(1, 1, 64, 64, dtype=torch.bfloat16)
    assert pool(x, (2, 3)).dtype == torch.float32
    assert pool(x, (2, 3)).item() == 1


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_stays_in_its_unit_and_image(pooling, bad):
    x = torch.randn(3, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    clean = pool(x, (2, 3), pooling)
    x[1, 2, 0, 3] = bad
    spoilt = pool(x, (2, 3), pooling)
    assert not spoilt[1, 2].isfinite()
    spoilt[1, 2] = clean[1, 2]
    assert torch.equal(spoilt, clean)


@pytest.mark.parametrize(("shape", "axes"), [((3,), ()), ((2, 3, 4, 5, 6), (2, 3)), ((2, 0, 3), (1,)), ((0, 4), ())])
def test_other_shapes_are_refused(shape, axes):
    with pytest.raises(LayerError, match=r"expected an output of"):
        pool(torch.zeros(shape), axes)


def test_an_unknown_pooling_names_the_nearest(networks):
    with pytest.raises(UnknownNameError, match="did you mean mean"):
        unit_probe(model_of(networks.seeded(networks.plain)), "0", "meen")


def test_one_forward_serves_all_layers_and_equals_running_them_by_hand(model, batches):
    counted = Counted(model)
    probes = means(head=model.head, conv=model.conv, twice=model.twice, pair=model.pair)
    results = list(collect_activations(batches, counted, probes))
    assert counted.calls == len(batches)
    assert [list(result) for result in results] == [list(probes)] * 2
    with torch.no_grad():
        for batch, result in zip(batches, results, strict=True):
            conv = model.conv(batch)
            twice = model.twice(model.twice(conv.relu()))
            expected = {
                "conv": conv.mean((2, 3)),  # before the in-place ReLU
                "twice": twice.mean((2, 3)),  # the last of its two calls
                "pair": (twice + 1).mean((2, 3)),  # the first tensor of the tuple
                "head": model.head((twice + 1).mean((2, 3))),  # before the in-place product
            }
            for name, values in expected.items():
                assert result[name].dtype == np.float32
                np.testing.assert_allclose(result[name], values.numpy(), rtol=1e-5, atol=1e-6)
                assert result[name].min() < 0 or name == "pair"


def test_nothing_is_left_between_batches_and_after(model, batches):
    for _ in collect_activations(batches, model, means(conv=model.conv)):
        assert not hooks_of(model)
        assert not torch.is_inference_mode_enabled()
        assert torch.is_grad_enabled()
    assert not hooks_of(model)


def test_nothing_is_left_after_an_exception(model, batches):
    def fails(batch):
        model(batch)
        raise RuntimeError("the model broke")

    with pytest.raises(RuntimeError, match="the model broke"):
        list(collect_activations(batches, fails, means(conv=model.conv, head=model.head)))
    assert not hooks_of(model)
    assert not torch.is_inference_mode_enabled()


def test_a_layer_that_does_not_run_is_an_error(model, batches):
    with pytest.raises(LayerError, match="did not reach unused"):
        list(collect_activations(batches, model, means(conv=model.conv, unused=model.unused)))
    assert not hooks_of(model)


class Windows(nn.Module):
    def forward(self, x):
        return x.reshape(-1, 3, 4, 4)


class Text(nn.Module):
    def forward(self, x):
        return "no tensor"


@pytest.mark.parametrize(
    ("module", "message"),
    [(nn.Flatten(0), "layer it: expected an output of"), (Windows(), "16 rows for 4 images"), (Text(), "got str")],
)
def test_an_output_without_units_names_the_layer(module, message, batches):
    with pytest.raises(LayerError, match=message):
        list(collect_activations(batches[:1], module, means(it=module)))
    assert not hooks_of(module)


def test_only_the_last_call_of_a_module_must_fit(batches):
    """A norm that serves tokens first and a vector at the end, as the units of the vector are asked for."""

    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(3)

        def forward(self, x):
            return self.norm(self.norm(x.flatten(2).mT).mean(1))

    model = model_of(Shared(), (8, 8))
    expected = model.network(batches[0]).detach().numpy()
    np.testing.assert_allclose(read(model, "norm", batches[0]), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("registers", [0, 3])
def test_patches_and_the_class_token_are_read_apart(networks, pooling, registers):
    """By hand: the class token is the first, registers follow it, and the rest are patches."""
    model = model_of(networks.seeded(lambda: networks.HubViT(registers=registers)))
    batch = torch.randn(2, 3, 32, 40, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        tokens = model.network.blocks[0](model.network.embeddings(batch)).numpy()
    reduce = {"mean": np.mean, "max": np.max}[pooling]
    patches = reduce(tokens[:, 1 + registers :], axis=1)
    np.testing.assert_allclose(read(model, "blocks.0", batch, pooling), patches, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(read(model, "blocks.0@class", batch, pooling), tokens[:, 0], rtol=1e-5, atol=1e-6)


def test_channels_last_maps_have_their_channels_as_units(networks):
    model = model_of(networks.seeded(networks.ChannelsLast))
    batch = torch.randn(2, 3, 32, 40, generator=torch.Generator().manual_seed(0))
    outputs = []
    handle = model.network.mlp.register_forward_hook(lambda *call: outputs.append(call[2].detach().numpy()))
    model.network(batch)
    handle.remove()
    assert outputs[0].shape == (2, 4, 5, 8)
    np.testing.assert_allclose(read(model, "mlp", batch), outputs[0].mean((1, 2)), rtol=1e-5, atol=1e-6)
    probe = map_probe(model, "mlp")
    (maps,) = collect_activations([batch], model.network, {"mlp": probe})
    np.testing.assert_array_equal(maps["mlp"], outputs[0].transpose(0, 3, 1, 2))


def test_a_linear_layer_has_its_features_as_units_and_no_maps(networks):
    model = model_of(networks.seeded(networks.Residual))
    batch = torch.randn(2, 3, 32, 40, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(read(model, "fc", batch), model.network(batch).detach(), rtol=1e-5, atol=1e-6)
    assert map_probe(model, "fc") is None


def test_of_a_tuple_the_first_tensor_is_read(model, batches):
    with torch.no_grad():
        twice = model.twice(model.twice(model.conv(batches[0]).relu()))
    wrapped = model_of(model, (8, 8))
    np.testing.assert_allclose(read(wrapped, "pair", batches[0]), (twice + 1).mean((2, 3)), rtol=1e-5, atol=1e-6)


def test_half_precision_networks_are_read_in_float32(networks):
    exact = model_of(networks.seeded(networks.plain))
    half = model_of(networks.seeded(networks.plain).half())
    batch = torch.randn(2, 3, 32, 40, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(read(half, "3", batch), read(exact, "3", batch), atol=2e-3)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("stem@class", r"stem has no class token: it gives shape"),
        ("fc@class", r"fc has no class token: it gives shape \(4,\)"),
    ],
)
def test_a_layer_without_a_class_token_says_so(networks, layer, message):
    model = model_of(networks.seeded(networks.Residual))
    for probe in (unit_probe, map_probe):
        with pytest.raises(LayerError, match=message):
            probe(model, layer)


def test_a_class_token_has_no_map(networks):
    model = model_of(networks.seeded(networks.HubViT))
    assert map_probe(model, "blocks.0@class") is None
    assert map_probe(model, "blocks.0") is not None
    with pytest.raises(LayerError, match=r"blocks\.0@class is a single token"):
        model.layout("blocks.0@class")


def test_layers_that_do_not_exist_or_run(networks, model):
    with pytest.raises(UnknownNameError, match=r"did you mean blocks\.0"):
        unit_probe(model_of(networks.seeded(networks.HubViT)), "blok.0@class")
    with pytest.raises(LayerError, match="unused gives no tensor"):
        unit_probe(model_of(model, (8, 8)), "unused")
