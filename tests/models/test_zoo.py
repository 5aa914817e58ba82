"""Known networks with random weights: their stages as the papers draw them, whatever the weights are."""

from __future__ import annotations

import importlib.util

import pytest
import timm
import torch
import torchvision
from torch import nn

from lumiscope.models import load_model, select_layers
from lumiscope.models._target_layer import target_layer
from lumiscope.models.layers import trace_layers


def numbered(name, numbers):
    return [f"{name}.{number}" for number in numbers]


# name, options, input size, what auto:5 means: the ends of the stages of each architecture
ZOO = [
    ("timm:resnet18", {}, 64, ["act1", *(f"layer{number}" for number in (1, 2, 3, 4))]),
    ("timm:resnetv2_18", {}, 64, ["stem.conv", *numbered("stages", range(3)), "norm"]),
    ("timm:convnext_atto", {}, 64, numbered("stages", range(4))),
    ("torchvision:convnext_tiny", {}, 64, numbered("features", (1, 3, 5, 7))),
    ("timm:swin_tiny_patch4_window7_224", {"img_size": 64}, 64, [*numbered("layers", range(3)), "norm"]),
    ("timm:nest_tiny_jx", {"img_size": 112}, 112, [*numbered("levels", range(2)), "norm"]),
    ("timm:regnetx_002", {}, 64, ["stem", "s1", "s2", "s3", "s4"]),
    ("timm:efficientnet_lite0", {}, 64, [*numbered("blocks", (3, 4, 5, 6)), "bn2"]),
    ("torchvision:mobilenet_v2", {}, 64, numbered("features", (10, 13, 16, 17, 18))),
    ("torchvision:densenet121", {}, 64, ["features.relu0", *numbered("features", ["denseblock1", "denseblock2"]),
                                         "features.denseblock3", "features.norm5"]),
    ("timm:mobilevitv2_050", {}, 256, numbered("stages", range(5))),
    ("timm:mobileone_s0", {}, 64, ["stem", *numbered("stages", range(4))]),
    ("timm:efficientvit_m0", {"img_size": 224}, 224, ["patch_embed.relu2", "patch_embed.relu3",
                                                      *numbered("stages", range(3))]),
    ("timm:dpn48b", {}, 64, numbered("features", ["conv1_1", "conv2_3", "conv3_4", "conv4_6", "conv5_bn_ac"])),
    ("timm:nextvit_small", {}, 64, ["stem.2", *numbered("stages", range(3)), "norm"]),
    ("timm:csatv2", {}, 128, numbered("stages", range(4))),
    ("timm:poolformer_s12", {}, 64, numbered("stages", range(4))),
    ("timm:hgnetv2_b0", {}, 64, ["stem", *numbered("stages", range(4))]),
    ("timm:vovnet39a", {}, 64, ["stem.1", *numbered("stages", range(4))]),
    ("timm:pvt_v2_b0", {}, 64, numbered("stages", range(4))),
    ("timm:convit_tiny", {"img_size": 64}, 64, numbered("blocks", (2, 4, 7, 9, 11))),
    ("timm:vit_tiny_patch16_224", {"img_size": 64}, 64, numbered("blocks", (2, 4, 7, 9, 11))),
    ("timm:hiera_tiny_224", {}, 224, numbered("blocks", (0, 2, 9, 11))),
]  # fmt: skip


def built(spec, options):
    source, name = spec.split(":")
    torch.manual_seed(0)
    make = timm.create_model if source == "timm" else torchvision.models.get_model
    return make(name, **options).eval()


def choice(module, size):
    inputs = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    layers = trace_layers(module, inputs)
    return select_layers(["auto:5"], layers, pytest.fail), target_layer(layers, module, inputs[:1]).name


@pytest.mark.parametrize(("spec", "options", "size", "stages"), ZOO, ids=[row[0] for row in ZOO])
def test_stages_are_those_of_the_architecture(spec, options, size, stages):
    assert choice(built(spec, options), size)[0] == stages


@pytest.mark.parametrize("spec", ["timm:vit_tiny_patch16_224", "timm:swin_tiny_patch4_window7_224"])
def test_the_choice_does_not_depend_on_weights(spec):
    module = built(spec, {"img_size": 64})
    expected = choice(module, 64)
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    assert choice(module, 64) == expected


@pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="transformers is not installed")
def test_stages_of_a_swin_of_transformers():
    """One layer, `swin`, would be all that is not in another part."""
    from transformers import SwinConfig, SwinForImageClassification

    config = SwinConfig(image_size=64, embed_dim=12, depths=[1, 1, 2, 1], num_heads=[1, 2, 2, 4], window_size=2)
    stages, target = choice(SwinForImageClassification(config).eval(), 64)
    ends = ["layers.0.blocks.0", "layers.1.blocks.0", "layers.2.blocks.1"]
    assert stages == [*(f"swin.encoder.{end}" for end in ends), "swin.layernorm"]
    assert target == "swin.layernorm"


class PaddedBlock(nn.Module):
    """An EfficientNet-Lite block as the hub writes it: the padding of its convolution is a part without weights."""

    def __init__(self, width, out, stride):
        super().__init__()
        self.expand = nn.Conv2d(width, 2 * width, 1)
        self.padding = nn.ZeroPad2d((0, 1, 0, 1) if stride == 2 else 1)
        self.depthwise = nn.Conv2d(2 * width, 2 * width, 3, stride=stride, groups=2 * width)
        self.project = nn.Conv2d(2 * width, out, 1)

    def forward(self, inputs):
        out = self.project(self.depthwise(self.padding(self.expand(inputs))))
        return out + inputs if out.shape == inputs.shape else out


class Lite(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        shapes = [(4, 6, 2), (6, 6, 1), (6, 8, 2), (8, 8, 1), (8, 10, 2)]
        self.blocks = nn.ModuleList(PaddedBlock(*shape) for shape in shapes)
        self.aux_head = nn.Conv2d(10, 5, 1)
        self.fc = nn.Linear(10, 5)

    def forward(self, inputs):
        maps = self.stem(inputs)
        for block in self.blocks:
            maps = block(maps)
        self.aux_head(maps)
        return self.fc(maps.mean((2, 3)))


def test_a_padding_without_weights_is_no_resolution_and_a_head_aside_no_stage():
    assert choice(Lite().eval(), 64) == (["stem", "blocks.1", "blocks.3", "blocks.4"], "blocks.4")


def test_depthwise_halves_of_a_plain_network_are_no_stages():
    """MobileNet v1: 8 → 8 at half the grid, then 8 → 16; 16 → 16 at half the grid, then 16 → 32."""

    def conv(width, out, stride, groups):
        return nn.Conv2d(width, out, 3, stride=stride, padding=1, groups=groups)

    features = nn.Sequential(
        conv(3, 8, 2, 1), conv(8, 8, 2, 8), conv(8, 16, 1, 1), conv(16, 16, 2, 16), conv(16, 32, 1, 1)
    )
    module = nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 4)).eval()
    assert choice(module, 32)[0] == ["0.0", "0.2", "0.4"]


def test_a_last_stage_of_one_position_is_said():
    """ResNet-18 halves a picture of 32 × 32 five times: `layer4` has one position, `layer3` 2 × 2."""
    model = load_model("timm:resnet18", weights="random", num_classes=4, input_size=32)
    assert model.select_layers(["auto:2"]) == ["layer2", "layer3"]
    said = [note for note in model.notes if "single position" in note]
    assert len(said) == 1
    assert "up to layer4.1, have" in said[0]
    assert "those of layer3, 2×2" in said[0]
    assert model.target_layer == "layer3"
    assert [note for note in model.notes if "single position" in note] == said
