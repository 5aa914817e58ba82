"""Small random networks of every kind, and what their maps must be by the slow references.

Loaded by path, since under pytest's importlib mode tests are no package.
"""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from unittest import mock

import numpy as np
import timm
import torch
import torchvision
from timm.models._efficientnet_builder import decode_arch_def
from timm.models.efficientnet import EfficientNet
from timm.models.mlp_mixer import MlpMixer
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.swin_transformer import SwinTransformer

from attribution.references import REFERENCES, cams

HERE = Path(__file__).parent


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


networks = load("kinds_of_networks", HERE.parent / "models" / "networks.py")


def efficientnet(classes=5):
    blocks = decode_arch_def([["ds_r1_k3_s1_e1_c8_se0.25"], ["ir_r2_k3_s2_e4_c12_se0.25"], ["cn_r1_k1_s1_c16"]])
    return EfficientNet(blocks, num_classes=classes, num_features=24, stem_size=8)


def vit(name="vit_tiny_patch16_224", **options):
    small = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 2, "num_classes": 5}
    return timm.create_model(name, pretrained=False, **{**small, **options})


def swin():
    small = {"img_size": 32, "window_size": 4, "embed_dim": 8, "depths": (2, 2), "num_heads": (1, 2), "num_classes": 5}
    return timm.create_model("swin_tiny_patch4_window7_224", pretrained=False, **small)


def torchvision_vit():
    return torchvision.models.VisionTransformer(32, 8, 2, 2, hidden_dim=16, mlp_dim=32, num_classes=5)


def torchvision_swin():
    return SwinTransformer([4, 4], 8, [2, 2], [1, 2], [4, 4], num_classes=5)


RESNET = {"layers": (1, 1, 1, 1), "channels": (4, 6, 8, 12), "stem_width": 4, "num_classes": 5}
CONVNEXT = {"depths": (1, 1, 1, 1), "dims": (4, 6, 8, 12), "num_classes": 5}
MIXER = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "num_blocks": 2, "num_classes": 5}
# by name: what makes the network, its automatic layer, and what is special about the model
KINDS = {
    "resnet": (lambda: timm.create_model("resnet10t", **RESNET), "layer4", {"size": (64, 64)}),
    "convnext": (lambda: timm.create_model("convnext_tiny", **CONVNEXT), "stages.3", {"size": (64, 96)}),
    "efficientnet": (efficientnet, "bn2", {}),
    "vit, class token": (vit, "blocks.1.norm1", {}),
    "vit, distilled": (lambda: vit("deit_tiny_distilled_patch16_224"), "blocks.1.norm1", {}),
    "vit, registers": (lambda: vit(reg_tokens=4), "blocks.1.norm1", {}),
    "vit, patches alone": (lambda: vit(class_token=False, global_pool="avg"), "blocks.1", {}),
    "vit, not square": (lambda: vit(img_size=(48, 32)), "blocks.1.norm1", {"size": (48, 32)}),
    "vit, other size": (lambda: vit(dynamic_img_size=True), "blocks.1.norm1", {"size": (24, 40)}),
    "swin": (swin, "norm", {}),
    "mixer": (lambda: MlpMixer(**MIXER), "norm", {}),
    "torchvision vit": (torchvision_vit, "encoder.layers.encoder_layer_1.ln_1", {}),
    "torchvision swin": (torchvision_swin, "norm", {}),
    "torchvision convnext": (
        lambda: ConvNeXt([CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)], num_classes=5),
        "features.3",
        {},
    ),
    "hub vit": (lambda: networks.HubViT(registers=2), "blocks.1.norm1", {}),
    "tuple": (lambda: networks.Wrapped("tuple"), "net.3", {}),
    "dict": (lambda: networks.Wrapped("dict"), "net.3", {}),
    "object with logits": (lambda: networks.Wrapped("logits"), "net.3", {}),
    "single logit": (lambda: networks.plain(classes=1), "3", {}),
    "single logit, vit": (lambda: vit(num_classes=1), "blocks.1.norm1", {}),
    "sigmoid, several labels": (networks.plain, "3", {"activation": "sigmoid"}),
    "not square": (networks.Residual, "act", {"size": (40, 24)}),
    "half precision": (networks.Residual, "act", {"dtype": torch.float16}),
    "half precision, vit": (vit, "blocks.1.norm1", {"dtype": torch.bfloat16}),
    "in place": (networks.InPlace, "relu", {}),
    "reused": (networks.Reused, "mix", {}),
    "dense": (networks.Dense, "two", {}),
    "frozen": (networks.Residual, "act", {"frozen": True}),
    "no graph": (networks.DataDependent, "mix", {}),
}


class Logits(torch.nn.Module):
    """(B, classes) logits of a network that gives something else, said once more."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, inputs):
        output = self.net(inputs)
        if isinstance(output, tuple):
            output = output[0]
        elif not isinstance(output, torch.Tensor):
            output = output["logits"] if isinstance(output, dict) else output.logits
        return torch.cat([-output, output], 1) if output.shape[1] == 1 else output


def told(layout):
    """The CAM family's references, told where a layer's maps are: in which order of axes, after how many tokens."""
    run, gradient = cams.run, cams.gradient
    height, width = layout.grid

    def channels_first(output):
        return output if layout.kind == "maps" else output.movedim(-1, 1)

    def maps(values):
        """(C, h, w) of (C, h, w) or (C, tokens), position by position."""
        if layout.kind != "tokens":
            return values
        grid = torch.zeros(len(values), height, width, dtype=values.dtype)
        for row in range(height):
            for column in range(width):
                grid[:, row, column] = values[:, layout.prefix + row * width + column]
        return grid

    def run_with_maps(module, image, layer, change=None):
        def changed(output):
            output = change(channels_first(output))
            return output if layout.kind == "maps" else output.movedim(1, -1)

        logits, output = run(module, image, layer, None if change is None else changed)
        return logits, maps(channels_first(output[None])[0])

    def gradient_to_maps(*arguments):
        activations, slopes = gradient(*arguments)
        return activations, maps(slopes)

    return mock.patch.multiple(cams, run=run_with_maps, gradient=gradient_to_maps)


def in_float64(model):
    """The model's network as the references ask for it; its own parts are named `net.…`."""
    return Logits(copy.deepcopy(model.module).double()).eval()


def compare_with_reference(model, layer, method, prepared, maps):
    double = in_float64(model)
    reference = REFERENCES[method]
    for saliency, image in zip(maps, prepared.inputs.values.double(), strict=True):
        with told(model.layout(layer)):
            values, display = reference(double, image, f"net.{layer}", saliency.target.index)
        scale = max(1e-3, np.abs(values).max())
        np.testing.assert_allclose(saliency.values, values, atol=1e-3 * scale, rtol=0)
        if np.abs(values).max() > 1e-3:
            np.testing.assert_allclose(saliency.display(), display, atol=1e-3, rtol=0)


def build(kind, torch_model, seed=0):
    """The model of a kind; its networks have lively weights."""
    factory, _, options = KINDS[kind]
    module = networks.seeded(factory, seed, options.get("dtype", torch.float32))
    module.requires_grad_(not options.get("frozen", False))
    extra = {"activation": options["activation"]} if "activation" in options else {}
    return torch_model(module, options.get("size", (32, 32)), **extra)
