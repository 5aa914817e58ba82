"""Real architectures with random weights: where the CAM family looks, what `auto:N` means, whether they can be cut."""

from __future__ import annotations

import functools

import pytest
import torch

from lumiscope.errors import LayerError
from lumiscope.models import borrowed, load_model

TARGETS = {
    "timm:resnet18": ("layer4", 512),
    "timm:mobilenetv2_100": ("bn2", 1280),
    "timm:efficientnet_b0": ("bn2", 1280),
    "timm:convnext_atto": ("stages.3", 320),
    "torchvision:densenet121": ("features.norm5", 1024),
    "torchvision:squeezenet1_1": ("classifier.2", 10),
    "torchvision:shufflenet_v2_x0_5": ("conv5", 1024),
}


@functools.cache
def tiny(spec):
    return load_model(spec, weights="random", num_classes=10, input_size=64)


@pytest.mark.parametrize("spec", TARGETS)
def test_target_layer(spec):
    model = tiny(spec)
    layer, units = TARGETS[spec]
    assert model.target_layer == layer
    assert model.select_layers(["auto"]) == [layer]
    assert next(known for known in model.layers if known.name == layer).units == units
    assert model.spatial_layer(None) == layer


@pytest.mark.parametrize("spec", TARGETS)
def test_cut_at_the_target_layer(spec):
    model = tiny(spec)
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    with borrowed(model.module), torch.no_grad():
        made = model.split(model.target_layer)
        logits = made.head(made.trunk(inputs))
    assert made.kind == "graph"
    torch.testing.assert_close(logits, model.logits(inputs), rtol=1e-4, atol=1e-4)


def test_five_stages_of_a_resnet():
    assert tiny("timm:resnet18").select_layers(["auto:5"]) == ["act1", "layer1", "layer2", "layer3", "layer4"]


def test_five_stages_of_a_mobilenet():
    model = tiny("timm:mobilenetv2_100")
    chosen = model.select_layers(["auto:5"])
    assert chosen == ["blocks.3", "blocks.4", "blocks.5", "blocks.6", "bn2"]
    shapes = {layer.name: layer.shape for layer in model.layers}
    # widths and strides of the paper's table 2 (Sandler et al. 2018), on a 64×64 picture
    assert [shapes[name] for name in chosen] == [(64, 4, 4), (96, 4, 4), (160, 2, 2), (320, 2, 2), (1280, 2, 2)]


def test_stages_of_a_densenet_are_whole_blocks_not_their_last_growth():
    model = tiny("torchvision:densenet121")
    shapes = {layer.name: layer.shape for layer in model.layers}
    assert [shapes[name][0] for name in model.select_layers(["auto:4"])] == [256, 1024, 512, 1024]


def test_a_vit_has_no_maps():
    model = load_model("timm:vit_tiny_patch16_224", weights="random", num_classes=10, model_options={"depth": 1})
    for name in (None, "blocks.0", "head"):
        with pytest.raises(LayerError, match="spatial features"):
            model.spatial_layer(name)
    assert model.spatial_layer("patch_embed.proj") == "patch_embed.proj"


def test_a_layer_of_a_cnn_without_a_map_names_the_automatic_choice():
    with pytest.raises(LayerError, match=r"fc gives shape \(10,\)\. The automatic choice for resnet18 is layer4"):
        tiny("timm:resnet18").spatial_layer("fc")
