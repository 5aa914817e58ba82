"""Activations of any layers in one pass: pooled as defined, read before anybody changes them, nothing left behind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lumiscope.dissection import collect_activations, pool
from lumiscope.errors import LayerError, UnknownNameError


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


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_pools_space_and_tokens_and_keeps_vectors(pooling):
    x = torch.arange(24.0).reshape(2, 3, 2, 2)
    reduce = {"mean": np.mean, "max": np.max}[pooling]
    np.testing.assert_array_equal(pool(x, pooling), reduce(x.numpy(), axis=(2, 3)))
    np.testing.assert_array_equal(pool(x[..., 0], pooling), reduce(x[..., 0].numpy(), axis=1))
    np.testing.assert_array_equal(pool(x[..., 0, 0], pooling), x[..., 0, 0])


def test_half_precision_is_summed_in_float32():
    """4,096 ones and one 2,048: bfloat16 sums would stop growing long before."""
    x = torch.ones(1, 1, 64, 64, dtype=torch.bfloat16)
    assert pool(x).dtype == torch.float32
    assert pool(x).item() == 1


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4, 5, 6), (2, 0, 3), (0, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(LayerError, match=r"images, units"):
        pool(torch.zeros(shape))


def test_an_unknown_pooling_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean mean"):
        pool(torch.zeros(2, 3), "meen")


def test_one_forward_serves_all_layers_and_equals_running_them_by_hand(model, batches):
    counted = Counted(model)
    layers = {"head": model.head, "conv": model.conv, "twice": model.twice, "pair": model.pair}
    results = list(collect_activations(batches, counted, layers))
    assert counted.calls == len(batches)
    assert [list(result) for result in results] == [list(layers)] * 2
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
    for _ in collect_activations(batches, model, {"conv": model.conv}):
        assert not hooks_of(model)
        assert not torch.is_inference_mode_enabled()
        assert torch.is_grad_enabled()
    assert not hooks_of(model)


def test_nothing_is_left_after_an_exception(model, batches):
    def fails(batch):
        model(batch)
        raise RuntimeError("the model broke")

    with pytest.raises(RuntimeError, match="the model broke"):
        list(collect_activations(batches, fails, {"conv": model.conv, "head": model.head}))
    assert not hooks_of(model)
    assert not torch.is_inference_mode_enabled()


def test_a_layer_that_does_not_run_is_an_error(model, batches):
    with pytest.raises(LayerError, match="did not reach unused"):
        list(collect_activations(batches, model, {"conv": model.conv, "unused": model.unused}))
    assert not hooks_of(model)


class Windows(nn.Module):
    def forward(self, x):
        return x.reshape(-1, 3, 4, 4)


class Text(nn.Module):
    def forward(self, x):
        return "no tensor"


@pytest.mark.parametrize(
    ("module", "message"),
    [(nn.Flatten(0), r"layer it: units need an output"), (Windows(), "16 rows for 4 images"), (Text(), "got str")],
)
def test_an_output_without_units_names_the_layer(module, message, batches):
    with pytest.raises(LayerError, match=message):
        list(collect_activations(batches[:1], module, {"it": module}))
    assert not hooks_of(module)
