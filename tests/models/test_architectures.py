"""Real architectures with random weights: where the CAM family looks, what `auto:N` means, whether they can be cut."""

from __future__ import annotations

import functools

import pytest
import timm
import torch

from lumiscope.errors import LayerError, UnknownNameError
from lumiscope.models import borrowed, load_model
from lumiscope.models._target_layer import target_layer
from lumiscope.models.layers import trace_layers
from lumiscope.models.layout import Layout

TARGETS = {
    "timm:resnet18": ("layer4", 512),
    "timm:mobilenetv2_100": ("bn2", 1280),
    "timm:efficientnet_b0": ("bn2", 1280),
    "timm:convnext_atto": ("stages.3", 320),
    "torchvision:densenet121": ("features.norm5", 1024),
    "torchvision:squeezenet1_1": ("classifier.2", 10),
    "torchvision:shufflenet_v2_x0_5": ("conv5", 1024),
}

# name, options, input size, the automatic layer, its units, its layout
NAMED = [
    ("resnet18", {}, 64, "layer4", 512, Layout("maps", (2, 2))),
    ("resnet50", {}, 64, "layer4", 2048, Layout("maps", (2, 2))),
    ("resnext50_32x4d", {}, 64, "layer4", 2048, Layout("maps", (2, 2))),
    ("densenet121", {}, 64, "features.norm5", 1024, Layout("maps", (2, 2))),
    ("efficientnet_b0", {}, 64, "bn2", 1280, Layout("maps", (2, 2))),
    ("mobilenetv2_100", {}, 64, "bn2", 1280, Layout("maps", (2, 2))),
    ("mobilenetv3_small_100", {}, 64, "blocks.5", 576, Layout("maps", (2, 2))),
    ("regnety_002", {}, 64, "s4", 368, Layout("maps", (2, 2))),
    ("vgg11_bn", {}, 64, "features.27", 512, Layout("maps", (4, 4))),
    ("inception_v3", {}, 107, "Mixed_7c", 2048, Layout("maps", (2, 2))),
    ("repvgg_a0", {}, 64, "stages.3", 1280, Layout("maps", (2, 2))),
    ("hrnet_w18_small", {}, 64, "final_layer", 2048, Layout("maps", (2, 2))),
    ("convnext_atto", {}, 64, "stages.3", 320, Layout("maps", (2, 2))),
    ("convnext_tiny", {}, 64, "stages.3", 768, Layout("maps", (2, 2))),
    ("pvt_v2_b0", {}, 64, "stages.3", 256, Layout("maps", (2, 2))),
    ("coatnet_nano_rw_224", {"img_size": 64}, 64, "norm", 512, Layout("maps", (2, 2))),
    # a class token reads the patches for the last time in the last attention
    ("vit_tiny_patch16_224", {"img_size": 64}, 64, "blocks.11.norm1", 192, Layout("tokens", (4, 4), 1)),
    ("deit_tiny_distilled_patch16_224", {"img_size": 64}, 64, "blocks.11.norm1", 192, Layout("tokens", (4, 4), 2)),
    ("vit_small_patch14_reg4_dinov2", {"img_size": 56}, 56, "blocks.11.norm1", 384, Layout("tokens", (4, 4), 5)),
    ("pit_ti_distilled_224", {}, 224, "transformers.2.blocks.3.norm1", 256, Layout("tokens", (7, 7), 2)),
    # the patches are averaged
    ("vit_medium_patch16_reg4_gap_256", {"img_size": 64}, 64, "blocks.11", 512, Layout("tokens", (4, 4), 4)),
    ("eva02_tiny_patch14_224", {"img_size": 56}, 56, "blocks.11", 192, Layout("tokens", (4, 4), 1)),
    ("beit_base_patch16_224", {"img_size": 64, "depth": 2}, 64, "blocks.1", 768, Layout("tokens", (4, 4), 1)),
    ("mixer_s32_224", {"img_size": 64}, 64, "norm", 512, Layout("tokens", (2, 2))),
    ("levit_128s", {"img_size": 128}, 128, "stages.2.blocks.3", 384, Layout("tokens", (2, 2))),
    ("swin_tiny_patch4_window7_224", {"img_size": 64}, 64, "norm", 768, Layout("channels_last", (2, 2))),
    ("swinv2_tiny_window8_256", {"img_size": 64}, 64, "norm", 768, Layout("channels_last", (2, 2))),
    # class attention at the end: two layers read the patches, that before them is the last that both see
    ("cait_xxs24_224", {"img_size": 64}, 64, "blocks.23", 192, Layout("tokens", (4, 4))),
]


@functools.cache
def tiny(spec):
    return load_model(spec, weights="random", num_classes=10, input_size=64)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options", "size", "layer", "units", "layout"), NAMED, ids=[row[0] for row in NAMED])
def test_the_automatic_layer_of_named_models(name, options, size, layer, units, layout):
    module = timm.create_model(name, pretrained=False, num_classes=10, **options).eval()
    inputs = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    target = target_layer(trace_layers(module, inputs), module, inputs)
    assert (target.name, target.units, target.layout) == (layer, units, layout)
    assert all(parameter.grad is None and parameter.requires_grad for parameter in module.parameters())
    assert not any(part._forward_hooks for part in module.modules())


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
        halves = model.split(model.target_layer)
        logits = halves.head(halves.trunk(inputs))
    assert halves.kind == "graph"
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
    assert [shapes[name][0] for name in model.select_layers(["auto:4"])] == [256, 512, 1024, 1024]


@pytest.fixture(scope="module")
def swin():
    options = {"depths": (1, 1, 1, 1), "embed_dim": 24, "num_heads": (1, 2, 2, 4)}
    spec = "timm:swin_tiny_patch4_window7_224"
    return load_model(spec, weights="random", num_classes=10, input_size=224, model_options=options)


def test_stages_of_a_swin(swin):
    """Each later stage begins by merging 2×2 patches; the last one's norm gives its tensor again."""
    assert swin.select_layers(["auto:5"]) == ["layers.0", "layers.1", "layers.2", "norm"]
    assert swin.target_layer == "norm"
    assert {swin.layout(name).kind for name in ("layers.1", "norm")} == {"channels_last"}


def test_windows_are_no_maps(swin):
    assert swin.layout("layers.0.blocks.0.norm1") == Layout("channels_last", (56, 56))
    assert swin.layout("layers.0.blocks.0.mlp") == Layout("tokens", (56, 56))
    with pytest.raises(LayerError, match=r"qkv gives \(49, 72\) for every part of the image, as windows do"):
        swin.layout("layers.0.blocks.0.attn.qkv")


@pytest.fixture(scope="module")
def vit():
    options = {"depth": 2, "embed_dim": 16, "num_heads": 2, "img_size": 64}
    spec = "timm:vit_tiny_patch16_224"
    return load_model(spec, weights="random", num_classes=10, input_size=64, model_options=options)


def test_layers_of_a_vit(vit):
    assert vit.target_layer == vit.spatial_layer(None) == "blocks.1.norm1"
    assert vit.layout("patch_embed") == Layout("tokens", (4, 4))
    assert vit.layout("patch_embed.proj") == Layout("maps", (4, 4))
    assert vit.layout("blocks.0") == Layout("tokens", (4, 4), 1)
    assert vit.split("blocks.1.norm1").kind == vit.split("blocks.0").kind == "graph"


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("head", r"head gives shape \(10,\)\. The automatic choice for vit_tiny_patch16_224 is blocks\.1\.norm1"),
        ("fc_norm", r"fc_norm gives shape \(16,\)"),
        ("blocks.1.attn.q_norm", r"q_norm gives shape \(2, 17, 8\)"),
        ("blocks.1.attn.attn_drop", "attn_drop gives no tensor"),
    ],
)
def test_a_layer_that_holds_no_map_says_what_it_gives(vit, layer, message):
    with pytest.raises(LayerError, match=message):
        vit.spatial_layer(layer)


def test_a_layer_that_does_not_exist_names_the_nearest(vit):
    with pytest.raises(UnknownNameError, match=r"unknown layer 'blocks\.1\.norm3': did you mean blocks\.1\.norm"):
        vit.spatial_layer("blocks.1.norm3")


def test_a_layer_of_a_cnn_without_a_map_names_the_automatic_choice():
    with pytest.raises(LayerError, match=r"fc gives shape \(10,\)\. The automatic choice for resnet18 is layer4"):
        tiny("timm:resnet18").spatial_layer("fc")
