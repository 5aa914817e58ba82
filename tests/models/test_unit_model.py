"""A network cut off after a layer: its scores are what hooks on the whole network see, and the network stays whole."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from lumiscope.errors import LayerError, UnknownNameError, UsageError
from lumiscope.images import Geometry
from lumiscope.models import TorchModel
from lumiscope.models.outputs import first_tensor
from lumiscope.models.unit_model import UnitModel, unit_model
from lumiscope.unit_address import UnitAddress


def wrap(module, size=(32, 40), **options):
    return TorchModel(module.eval(), Geometry(size, mode="squash"), mean=(0, 0, 0), std=(1, 1, 1), **options)


def seen(module, layer, inputs):
    """What the last call of a layer gives when the whole network runs, by a hook."""
    outputs = []
    handle = module.get_submodule(layer).register_forward_hook(
        lambda _, __, output: outputs.append(first_tensor(output).clone())
    )
    with torch.no_grad():
        module(inputs)
    handle.remove()
    return outputs[-1]


CASES = [
    ("plain", "1", "graph"),
    ("plain", "2", "graph"),
    ("Residual", "block.bn1", "graph"),
    ("Residual", "block", "graph"),
    ("InPlace", "bn", "graph"),
    ("OverwritesContext", "right", "graph"),
    ("Reused", "mix", "graph"),
    ("Dense", "two", "graph"),
    ("DataDependent", "mix", "stopped"),
    ("TupleLayer", "pair", "graph"),
    ("DictLayer", "parts", "stopped"),
]


@pytest.mark.parametrize(("kind", "layer", "how"), CASES)
def test_scores_are_the_mean_activations(networks, batch, kind, layer, how):
    module = networks.seeded(getattr(networks, kind))
    model = UnitModel(wrap(module), layer)
    assert isinstance(model.network, torch.fx.GraphModule) == (how == "graph")
    expected = seen(module, layer, batch).mean((2, 3))
    torch.testing.assert_close(model.logits(batch), expected)
    assert model.classes == tuple(f"{layer}:{unit}" for unit in range(expected.shape[1]))
    shared = {id(value) for value in module.parameters()}
    assert {id(value) for value in model.network.parameters()} <= shared, "weights are those of the network itself"


@pytest.mark.parametrize(("factor", "graph"), [(1.05, False), (1.0005, False), (0.9995, False), (1 + 1e-6, True)])
def test_a_graph_that_is_off_by_more_than_rounding_is_stopped_instead(networks, batch, factor, graph):
    module = networks.seeded(lambda: networks.OtherWhenTraced(factor))
    model = UnitModel(wrap(module), "conv2")
    assert isinstance(model.network, torch.fx.GraphModule) == graph
    expected = seen(module, "conv2", batch).mean((2, 3))
    torch.testing.assert_close(model.logits(batch), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", ["0", "1", "6"])
def test_a_layer_of_features_and_one_that_is_the_scores(networks, batch, layer):
    module = networks.seeded(networks.plain)
    model = UnitModel(wrap(module), layer)
    output = seen(module, layer, batch)
    expected = output if output.ndim == 2 else output.mean((2, 3))
    torch.testing.assert_close(model.logits(batch), expected)


def test_what_comes_after_never_runs(networks, batch):
    for kind, layer in (("Residual", "stem"), ("DataDependent", "stem")):
        module = networks.seeded(getattr(networks, kind))
        model = UnitModel(wrap(module), layer)
        last = module.fc if kind == "DataDependent" else module.block
        last.register_forward_hook(lambda *_: pytest.fail("ran"))
        model.logits(batch)


def test_patch_tokens_and_class_token_are_units_apart():
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    small = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 2, "num_classes": 5}
    module = timm.create_model("vit_tiny_patch16_224", pretrained=False, **small).eval()
    model, inputs = wrap(module, (32, 32)), torch.randn(2, 3, 32, 32)
    tokens = seen(module, "blocks.1", inputs)
    assert tokens.shape == (2, 17, 16)
    torch.testing.assert_close(UnitModel(model, "blocks.1").logits(inputs), tokens[:, 1:].mean(1))
    wrapper, column = unit_model(model, "blocks.1@class:5")
    torch.testing.assert_close(wrapper.logits(inputs)[:, column], tokens[:, 0, 5])
    assert UnitModel(model, "blocks.1").target_layer == "blocks.1"
    assert wrapper.target_layer == "blocks.1.norm1", "there all patches reach the class token"
    with pytest.raises(LayerError, match="class token"):
        unit_model(model, "patch_embed.proj@class:0")


def test_channels_last_of_swin():
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    small = {"img_size": 32, "window_size": 4, "embed_dim": 12, "depths": (2, 2), "num_heads": (1, 2)}
    module = timm.create_model("swin_tiny_patch4_window7_224", pretrained=False, **small).eval()
    inputs = torch.randn(2, 3, 32, 32)
    model = UnitModel(wrap(module, (32, 32)), "layers.0")
    output = seen(module, "layers.0", inputs)
    assert output.shape == (2, 8, 8, 12)
    torch.testing.assert_close(model.logits(inputs), output.mean((1, 2)))
    assert model.target_layer == "layers.0"
    with pytest.raises(LayerError, match="windows"):
        UnitModel(wrap(module, (32, 32)), "layers.0.blocks.0.attn.qkv")


def test_a_single_unit_is_the_second_of_two_columns(batch):
    module = nn.Sequential(nn.Conv2d(3, 1, 3), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4, 3)).eval()
    wrapper, column = unit_model(wrap(module), "0:0")
    assert (column, wrapper.units, wrapper.classes) == (1, 1, ("minus 0:0", "0:0"))
    torch.testing.assert_close(wrapper.logits(batch)[:, column], seen(module, "0", batch).mean((1, 2, 3)))


def test_half_precision_weights_are_run_in_float32(networks, batch):
    module = networks.seeded(networks.plain)
    model = UnitModel(wrap(copy.deepcopy(module).bfloat16()), "1")
    assert model.logits(batch).dtype == torch.float32


def test_no_probabilities_and_a_fingerprint_of_its_own(networks):
    model = wrap(networks.seeded(networks.plain))
    wrapper, other = UnitModel(model, "1"), UnitModel(model, "3")
    assert wrapper.activation == "raw"
    assert len({model.fingerprint, wrapper.fingerprint, other.fingerprint}) == 3
    assert wrapper.fingerprint == UnitModel(model, "1").fingerprint


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_backends_run_the_cut_network(networks, batch, backend):
    if backend == "openvino":
        pytest.importorskip("openvino")
    module = networks.seeded(networks.Residual)
    model = UnitModel(wrap(module), "block")
    choice = model.choose_backend(backend)
    assert choice.backend == backend, choice.why
    torch.testing.assert_close(
        model.session(choice).logits(batch), seen(module, "block", batch).mean((2, 3)), rtol=1e-3, atol=1e-4
    )


def test_a_network_that_must_be_stopped_falls_back_where_a_backend_cannot(networks, batch):
    model = UnitModel(wrap(networks.seeded(networks.DataDependent)), "mix")
    choice = model.choose_backend("auto")
    expected = seen(model.whole.module, "mix", batch).mean((2, 3))
    torch.testing.assert_close(model.session(choice).logits(batch), expected, rtol=1e-3, atol=1e-4)


def test_the_network_is_left_as_it_was(networks, batch):
    module = networks.seeded(networks.Residual)
    module.train()
    module.fc.weight.requires_grad_(False)
    before = [(name, id(part), part.training, len(part._forward_hooks)) for name, part in module.named_modules()]
    trainable = [value.requires_grad for value in module.parameters()]
    model = TorchModel(module, Geometry((32, 40), mode="squash"), mean=(0, 0, 0), std=(1, 1, 1))
    wrapper, _ = unit_model(model, "block:2")
    wrapper.predict(np.zeros((2, 32, 40, 3), np.uint8))
    assert wrapper.target_layer == "block"
    after = [(name, id(part), part.training, len(part._forward_hooks)) for name, part in module.named_modules()]
    assert (before, trainable) == (after, [value.requires_grad for value in module.parameters()])


def test_layers_after_the_unit_are_refused(networks):
    model = UnitModel(wrap(networks.seeded(networks.Residual)), "block.bn1")
    assert model.target_layer == "block.bn1"
    assert model.spatial_layer("stem") == "stem"
    for later in ("block", "act", "block.conv2"):
        with pytest.raises(LayerError, match=r"comes after .* last one with maps is block\.bn1"):
            model.spatial_layer(later)
    with pytest.raises(UnknownNameError, match="stem"):
        model.select_layers(["stemm"])


@pytest.mark.parametrize("text", ["layer4", "layer4:", ":3", "layer4:x", "layer4:-1", "layer4:1.5", "layer4:²", ""])
def test_what_is_no_address(text):
    with pytest.raises(UsageError, match="LAYER:NUMBER"):
        UnitAddress.parse(text)


def test_addresses_and_units_that_do_not_exist(networks):
    assert str(UnitAddress.parse(" blocks.11@class:5 ")) == "blocks.11@class:5"
    model = wrap(networks.seeded(networks.Residual))
    with pytest.raises(UsageError, match="from 0 to 5, as it has 6; got 6"):
        unit_model(model, "block:6")
    with pytest.raises(UnknownNameError, match="did you mean block"):
        unit_model(model, "blok:1")
