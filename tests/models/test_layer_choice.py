"""Layers by address on real architectures with random weights: auto:N, wildcards, class tokens."""

from __future__ import annotations

import functools

import pytest
import timm
import torch
import torchvision

from lumiscope.errors import LayerError, UnknownNameError
from lumiscope.models import select_layers
from lumiscope.models.layers import trace_layers

SMALL_VIT = {"embed_dim": 16, "num_heads": 2, "img_size": 64}
FIVE_OF_TWELVE = ["blocks.2", "blocks.4", "blocks.7", "blocks.9", "blocks.11"]
NETWORKS = {
    "resnet50": (timm.create_model, {"model_name": "resnet50"}),
    "mobilenetv2": (torchvision.models.mobilenet_v2, {}),
    "vit": (timm.create_model, {"model_name": "vit_tiny_patch16_224", **SMALL_VIT}),
    "vit without class token": (
        timm.create_model,
        {"model_name": "vit_tiny_patch16_224", **SMALL_VIT, "class_token": False, "global_pool": "avg"},
    ),
    "vit with registers": (timm.create_model, {"model_name": "vit_tiny_patch16_224", **SMALL_VIT, "reg_tokens": 4}),
    "vit of registers and patches": (
        timm.create_model,
        {"model_name": "vit_medium_patch16_reg4_gap_256", **SMALL_VIT},
    ),
    "deit distilled": (timm.create_model, {"model_name": "deit_tiny_distilled_patch16_224", **SMALL_VIT}),
    "torchvision vit": (
        torchvision.models.VisionTransformer,
        {"image_size": 64, "patch_size": 16, "num_layers": 12, "num_heads": 2, "hidden_dim": 16, "mlp_dim": 16},
    ),
    "mixer": (timm.create_model, {"model_name": "mixer_s32_224", "img_size": 64}),
    "swin": (timm.create_model, {"model_name": "swin_tiny_patch4_window7_224", "img_size": 64, "embed_dim": 24}),
    "swin v2": (timm.create_model, {"model_name": "swinv2_tiny_window8_256", "img_size": 64, "embed_dim": 24}),
    "convnext": (timm.create_model, {"model_name": "convnext_tiny", "dims": (8, 16, 24, 32)}),
    "torchvision convnext": (torchvision.models.convnext_tiny, {}),
}


@functools.cache
def layers_of(name):
    make, options = NETWORKS[name]
    if make is timm.create_model:
        options = {"pretrained": False, **options}
    generator = torch.Generator().manual_seed(0)
    return trace_layers(make(num_classes=10, **options).eval(), torch.randn(2, 3, 64, 64, generator=generator))


def chosen(name, *wanted):
    return select_layers(wanted, layers_of(name), lambda: pytest.fail("nobody asked for the automatic layer"))


def layer_of(name, layer):
    return next(candidate for candidate in layers_of(name) if candidate.name == layer)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet50", ["act1", "layer1", "layer2", "layer3", "layer4"]),
        ("mobilenetv2", ["features.10", "features.13", "features.16", "features.17", "features.18"]),
        ("vit", FIVE_OF_TWELVE),
        ("vit without class token", FIVE_OF_TWELVE),
        ("vit with registers", FIVE_OF_TWELVE),
        ("vit of registers and patches", FIVE_OF_TWELVE),
        ("deit distilled", FIVE_OF_TWELVE),
        ("torchvision vit", [f"encoder.layers.encoder_layer_{number}" for number in (2, 4, 7, 9, 11)]),
        ("mixer", ["blocks.1", "blocks.3", "blocks.4", "blocks.6", "blocks.7"]),
        ("swin", ["layers.0", "layers.1", "layers.2", "norm"]),
        ("convnext", ["stages.0", "stages.1", "stages.2", "stages.3"]),
        ("torchvision convnext", ["features.1", "features.3", "features.5", "features.7"]),
    ],
)
def test_five_layers(name, expected):
    assert chosen(name, "auto:5") == expected


@pytest.mark.parametrize(("count", "expected"), [(1, [11]), (2, [5, 11]), (3, [3, 7, 11]), (12, [*range(12)])])
def test_blocks_of_a_vit_are_evenly_spaced_and_end_with_the_last(count, expected):
    assert chosen("vit", f"auto:{count}") == [f"blocks.{number}" for number in expected]
    assert chosen("vit", "auto:99") == [f"blocks.{number}" for number in range(12)]


@pytest.mark.parametrize(
    ("name", "layer", "kind", "units"),
    [
        ("resnet50", "layer4", "maps", 2048),
        ("mobilenetv2", "features.18", "maps", 1280),
        ("vit", "blocks.11", "tokens", 16),
        ("deit distilled", "blocks.11", "tokens", 16),
        ("mixer", "blocks.7", "tokens", 512),
        ("swin", "layers.3", "channels_last", 192),
        ("swin v2", "layers.3", "channels_last", 192),
        ("convnext", "stages.3", "maps", 32),
        ("convnext", "stages.3.blocks.0.mlp", "channels_last", 32),
        ("torchvision convnext", "features.7", "maps", 768),
        ("torchvision convnext", "features.7.0.block.3", "channels_last", 3072),
    ],
)
def test_the_units_of_each_kind(name, layer, kind, units):
    traced_layer = layer_of(name, layer)
    assert traced_layer.has_units
    assert (traced_layer.layout.kind, traced_layer.units) == (kind, units)


@pytest.mark.parametrize("name", ["resnet50", "vit", "swin", "convnext"])
def test_the_head_has_units(name):
    head = {"resnet50": "fc", "vit": "head"}.get(name, "head.fc")
    assert chosen(name, head) == [head]
    assert layer_of(name, head).units == 10
    assert layer_of(name, head).has_units


@pytest.mark.parametrize("name", ["vit", "vit with registers", "deit distilled"])
def test_wildcards_mean_class_tokens_only_where_they_say_so(name):
    assert chosen(name, "blocks.?") == [f"blocks.{number}" for number in range(10)]
    assert chosen(name, "blocks.?@class") == [f"blocks.{number}@class" for number in range(10)]
    assert not any("@" in address for address in chosen(name, "*"))
    assert chosen(name, "blocks.11@class", "blocks.11") == ["blocks.11@class", "blocks.11"]
    assert chosen(name, "patch_embed*") == ["patch_embed.proj", "patch_embed.norm", "patch_embed"]


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("resnet50", "layer4"),
        ("swin", "layers.3"),
        ("mixer", "blocks.7"),
        ("vit without class token", "blocks.11"),
        ("vit of registers and patches", "blocks.11"),
        ("vit", "patch_embed"),
        ("vit", "head"),
    ],
)
def test_where_there_is_no_class_token_that_is_said(name, layer):
    assert layer_of(name, layer).class_address is None
    with pytest.raises(LayerError, match=rf"with a class token for {layer}@class; {layer} gives shape .* has none"):
        chosen(name, f"{layer}@class")


def test_unknown_layers_name_the_nearest():
    with pytest.raises(UnknownNameError, match=r"unknown layer 'layer5': did you mean layer"):
        chosen("resnet50", "layer5")
    with pytest.raises(UnknownNameError, match=r"unknown layer 'block\.11': did you mean blocks\.11"):
        chosen("vit", "block.11@class")


def test_wildcards_leave_out_what_has_no_row_of_units_for_each_image():
    """Windows, attention heads, and tables that are the same for any number of images."""
    with pytest.raises(LayerError, match=r"heads, as layers\.0\.blocks\.0\.attn\.qkv, of shape \(49, 72\)"):
        chosen("swin", "layers.0.blocks.0.attn.*")
    within = chosen("swin", "layers.0.*")
    assert "layers.0.blocks.0.norm1" in within
    assert "layers.0.blocks.0.attn.qkv" not in within
    assert not layer_of("swin v2", "layers.0.blocks.0.attn.cpb_mlp").has_units
    assert "blocks.0.attn.q_norm" not in chosen("vit", "blocks.*")
    assert "blocks.0.attn.qkv" in chosen("vit", "blocks.*")
