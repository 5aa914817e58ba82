"""A ReLU in place that is a function, as at the end of torchvision's DenseNet: its features are what is shown."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import pytorch_grad_cam as peers
import torch
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn
from torch.nn import functional

from lumiscope.attribution import METHODS

SIZE = (40, 56)
PEERS = {
    "ablationcam": (peers.AblationCAM, {"denominator": "score"}),
    "gradcam": (peers.GradCAM, {}),
    "gradcampp": (peers.GradCAMPlusPlus, {}),
    "hirescam": (peers.HiResCAM, {}),
    "layercam": (peers.LayerCAM, {}),
    "xgradcam": (peers.XGradCAM, {}),
}


class Rectified(nn.Module):
    """Normalised maps, then a ReLU: of a part, of a function in place, of one that is not; or read before it, too."""

    def __init__(self, how):
        super().__init__()
        self.how = how
        self.conv, self.bn = nn.Conv2d(3, 6, 3, stride=4, padding=1), nn.BatchNorm2d(6)
        self.relu, self.more = nn.ReLU(inplace=True), nn.Conv2d(6, 6, 1)
        self.fc = nn.Linear(6, 4)

    def forward(self, inputs):
        maps = self.bn(self.conv(inputs))
        before = self.more(maps) if self.how == "read before" else 0
        if self.how == "part":
            rectified = self.relu(maps)
        elif self.how == "copy":
            rectified = functional.relu(maps)
        else:
            rectified = functional.relu(maps, inplace=True)
        return self.fc((rectified + before).mean((2, 3)).square())


@pytest.mark.parametrize(
    ("how", "shown"), [("function", "behind"), ("part", "own"), ("copy", "own"), ("read before", "own")]
)
@pytest.mark.parametrize("backend", ["eager", "torch"])
def test_which_activations_a_cut_has(networks, torch_model, prepare, how, shown, backend):
    model = torch_model(networks.seeded(lambda: Rectified(how)), SIZE)
    inputs = prepare(model).inputs.values
    with torch.no_grad():
        own = model.module.bn(model.module.conv(inputs))
    split = model.session(model.choose_backend(backend)).split("bn")
    cut = split.trunk(inputs)
    torch.testing.assert_close(cut.activations, own.relu() if shown == "behind" else own, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(split.head(cut), model.logits(inputs), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", PEERS)
def test_maps_before_a_function_in_place_equal_grad_cams(networks, torch_model, prepare, method):
    model = torch_model(networks.seeded(lambda: Rectified("function")), SIZE)
    prepared = prepare(model, "bn")
    kind, options = PEERS[method]
    module = copy.deepcopy(model.module)
    with kind(model=module, target_layers=[module.bn]) as peer:
        expected = peer(prepared.inputs.values.clone(), [ClassifierOutputTarget(1)] * 3)
    chosen = METHODS[method]
    maps = chosen.explain(prepared, prepared.targets(1, [None] * 3), chosen.options(options))
    for saliency, theirs in zip(maps, expected, strict=True):
        np.testing.assert_allclose(saliency.display(), theirs, atol=1e-4, rtol=0)
    assert max(saliency.display().max() for saliency in maps) > 0.9
