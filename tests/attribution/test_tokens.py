"""Networks of tokens and of channels-last maps: every layer against the slow references, Grad-CAM against grad-cam."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM

from lumiscope.attribution import METHODS

spec = importlib.util.spec_from_file_location("kinds", Path(__file__).with_name("kinds.py"))
architectures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(architectures)

CAMS = (
    "ablationcam",
    "eigencam",
    "eigengradcam",
    "finercam",
    "gradcam",
    "gradcampp",
    "hirescam",
    "layercam",
    "scorecam",
    "shapleycam",
    "xgradcam",
)


def explain(method, prepared):
    chosen = METHODS[method]
    return chosen.explain(prepared, prepared.targets("predicted", [None] * len(prepared)), chosen.options())


@pytest.mark.parametrize("method", CAMS)
@pytest.mark.parametrize(
    ("kind", "layer"),
    [
        ("swin", "layers.1.blocks.1.norm1"),
        ("swin", "layers.1.blocks.0.mlp"),
        ("vit, distilled", "blocks.0"),
        ("vit, registers", "blocks.0.attn.qkv"),
        ("torchvision swin", "features.3.1.norm1"),
        ("convnext", "stages.3.blocks.0.norm"),
    ],
)
def test_layers_inside_token_networks_equal_the_reference(model_of, prepare, method, kind, layer):
    model = model_of(kind)
    prepared = prepare(model, layer, count=1)
    architectures.compare_with_reference(model, layer, method, prepared, explain(method, prepared))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("factory", "layer", "grid", "prefix"),
    [
        (architectures.vit, "blocks.1.norm1", (4, 4), 1),
        (architectures.vit, "blocks.0", (4, 4), 1),
        (lambda: architectures.vit("deit_tiny_distilled_patch16_224"), "blocks.1.norm1", (4, 4), 2),
        (lambda: architectures.vit(reg_tokens=4, img_size=(48, 32)), "blocks.1.norm1", (6, 4), 5),
        (architectures.torchvision_vit, "encoder.layers.encoder_layer_1.ln_1", (4, 4), 1),
        (architectures.swin, "layers.1.blocks.1.norm1", (4, 4), None),
        (architectures.swin, "norm", (4, 4), None),
        (architectures.torchvision_swin, "features.3.1.norm1", (4, 4), None),
    ],
)
def test_gradcam_of_tokens_equals_grad_cam(networks, torch_model, prepare, seed, factory, layer, grid, prefix):
    """grad-cam 1.5.7 with the reshaping that its users write for each network by hand."""

    def reshape(output):
        if prefix is None:
            return output.permute(0, 3, 1, 2)
        return output[:, prefix:].reshape(len(output), *grid, -1).permute(0, 3, 1, 2)

    model = torch_model(networks.seeded(factory, seed), (8 * grid[0], 8 * grid[1]))
    prepared = prepare(model, layer, first=10 * seed)
    maps = explain("gradcam", prepared)
    module = copy.deepcopy(model.module)
    with GradCAM(model=module, target_layers=[module.get_submodule(layer)], reshape_transform=reshape) as peer:
        expected = peer(input_tensor=prepared.inputs.values.clone(), targets=None)
    for ours, theirs in zip(maps, expected, strict=True):
        np.testing.assert_allclose(ours.display(), theirs, atol=1e-3, rtol=0)
    assert max(saliency.display().max() for saliency in maps) > 0.9


def test_a_map_of_patches_lies_where_the_patch_is(networks, torch_model, prepare):
    """Known truth: the score is the mean brightness of one patch; a token network that looks there says so."""

    class Looks(networks.HubViT):
        def __init__(self):
            super().__init__(depth=0, width=4, output="tensor")

        def forward(self, inputs):
            tokens = self.norm(self.embeddings(inputs))
            return torch.stack([tokens[:, 1 + 9].sum(1), -tokens[:, 1 + 9].sum(1)], 1)

    model = torch_model(networks.seeded(Looks), (32, 40))
    assert model.target_layer == "norm"
    for saliency in explain("hirescam", prepare(model, "norm")):
        row, column = np.unravel_index(saliency.values.argmax(), saliency.values.shape)
        assert (row // 8, column // 8) == (9 // 5, 9 % 5)
