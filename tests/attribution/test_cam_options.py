"""Several layers, smoothing over the mirror image, and Finer-CAM's comparisons."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import pytorch_grad_cam as peers
import torch
import ttach
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from lumiscope.attribution import METHODS, PreparedBatch
from lumiscope.errors import UnknownNameError, UsageError

SIZE = (40, 56)
PEERS = {
    "ablationcam": peers.AblationCAM,
    "fullgrad": peers.FullGrad,
    "gradcam": peers.GradCAM,
    "gradcampp": peers.GradCAMPlusPlus,
    "hirescam": peers.HiResCAM,
    "layercam": peers.LayerCAM,
    "scorecam": peers.ScoreCAM,
    "xgradcam": peers.XGradCAM,
}
AS_IN_GRAD_CAM = {"ablationcam": {"denominator": "score"}}
LAYERED = [name for name, method in METHODS.items() if method.needs_layer]
SMOOTHED = [name for name, method in METHODS.items() if method.needs_layer or name == "fullgrad"]


def explain(method, prepared, wanted="predicted", **options):
    chosen = METHODS[method]
    targets = prepared.targets(wanted, [None] * len(prepared))
    return chosen.explain(prepared, targets, chosen.options(options))


@pytest.fixture(scope="module")
def model(networks, torch_model):
    return torch_model(networks.seeded(networks.plain), SIZE)


@pytest.mark.parametrize("method", sorted({*PEERS} - {"fullgrad"}))
@pytest.mark.parametrize("layers", [("1", "3"), ("3", "1"), ("3",)])
def test_several_layers_are_averaged_as_grad_cam_averages_them(model, prepare, method, layers):
    prepared = prepare(model, layers)
    module = copy.deepcopy(model.module)
    wanted = [module.get_submodule(layer) for layer in sorted(layers)]  # grad-cam takes them in the network's order
    with PEERS[method](model=module, target_layers=wanted) as peer:
        expected = peer(input_tensor=prepared.inputs.values.clone(), targets=[ClassifierOutputTarget(1)] * 3)
    for saliency, theirs in zip(explain(method, prepared, 1), expected, strict=True):
        np.testing.assert_allclose(saliency.display(), theirs, atol=1e-4, rtol=0)
        assert saliency.layer == ", ".join(layers)


@pytest.mark.parametrize("method", LAYERED)
def test_values_of_several_layers_are_the_mean_of_theirs(model, prepare, method):
    maps, other = explain(method, prepare(model, "1")), explain(method, prepare(model, "3"))
    for row, saliency in enumerate(explain(method, prepare(model, ["1", "3"]))):
        mean = (maps[row].values + other[row].values) / 2
        np.testing.assert_allclose(saliency.values, mean, atol=1e-5 * max(1, mean.max()))


@pytest.mark.parametrize("method", SMOOTHED)
def test_flips_average_the_map_and_that_of_the_mirror_image(networks, torch_model, prepare, method):
    model = torch_model(networks.seeded(networks.Residual), SIZE)
    prepared = prepare(model, "block.conv2")
    flipped = [dataclasses.replace(view, pixels=np.ascontiguousarray(view.pixels[:, ::-1])) for view in prepared.views]
    mirrored = PreparedBatch(model, flipped, layer="block.conv2")
    maps, others = explain(method, prepared, 1), explain(method, mirrored, 1)
    differ = []
    for row, saliency in enumerate(explain(method, prepared, 1, flips=True)):
        np.testing.assert_allclose(
            saliency.values, (maps[row].values + others[row].values[:, ::-1]) / 2, atol=1e-6, rtol=1e-5
        )
        display = (maps[row].display() + others[row].display()[:, ::-1]) / 2
        np.testing.assert_allclose(saliency.display(), display, atol=1e-6)
        assert saliency.options["flips"] is True
        differ.append(not np.allclose(saliency.values, maps[row].values, atol=1e-6))
    assert any(differ)


@pytest.mark.parametrize("method", sorted(PEERS))
def test_flips_are_grad_cams_smoothing_but_for_its_change_of_contrast(model, prepare, method):
    """`aug_smooth` adds to the two directions factors of 0.9 and 1.1 on the normalised input; ours does not."""
    prepared = prepare(model, "3")
    module = copy.deepcopy(model.module)
    directions = ttach.Compose([ttach.HorizontalFlip()])
    with PEERS[method](model=module, target_layers=[module[3]]) as peer:
        peer.tta_transforms = directions
        expected = peer(prepared.inputs.values.clone(), [ClassifierOutputTarget(1)] * 3, aug_smooth=True)
    maps = explain(method, prepared, 1, flips=True, **AS_IN_GRAD_CAM.get(method, {}))
    for saliency, theirs in zip(maps, expected, strict=True):
        np.testing.assert_allclose(saliency.display(), theirs, atol=1e-4, rtol=0)


def test_flips_keep_why_the_mirror_image_has_no_map(networks, torch_model, prepare):
    """A score that is 0 for the mirror image alone: the mean is NaN, and says why."""

    class LeftMinusRight(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.maps = torch.nn.Conv2d(3, 2, 8, stride=8)
            self.fc = torch.nn.Linear(4, 2, bias=False)

        def forward(self, inputs):
            maps = self.maps(inputs).relu()
            half = maps.shape[3] // 2
            return self.fc(torch.cat([maps[..., :half].mean((2, 3)), maps[..., -half:].mean((2, 3))], 1))

    module = networks.seeded(LeftMinusRight)
    with torch.no_grad():
        module.maps.weight.zero_()
        module.maps.weight[0] = 1
        module.maps.bias.zero_()
        module.fc.weight.copy_(torch.tensor([[1.0, 0, 0, 0], [0, 0, 1, 0]]))
    model = torch_model(module, SIZE)
    pixels = np.zeros((*SIZE, 3), np.uint8)
    pixels[:, :28] = 255
    prepared = PreparedBatch(model, [model.geometry.view(pixels, "left")], layer="maps")
    assert explain("ablationcam", prepared, 0, denominator="score")[0].details == {}
    (saliency,) = explain("ablationcam", prepared, 0, denominator="score", flips=True)
    assert np.isnan(saliency.values).all()
    assert saliency.details["undefined"] == "the target's score is 0"


def test_finer_cam_without_comparison_is_grad_cam(model, prepare):
    prepared = prepare(model, "1")
    for saliency, other in zip(explain("finercam", prepared, alpha=0), explain("gradcam", prepared), strict=True):
        np.testing.assert_allclose(saliency.values, other.values, atol=1e-6)


def test_finer_cam_of_two_classes_is_grad_cam_of_their_difference(networks, torch_model, prepare):
    """w_k = (W[c,k] - alpha W[d,k]) / hw: with one other class its weight is 1 and has no gradient."""
    model = torch_model(networks.seeded(lambda: networks.plain(classes=2)), SIZE, classes=("cat", "dog"))
    prepared = prepare(model, "3")
    weight, maps = model.module[6].weight.detach(), prepared.at("3").maps
    for row, saliency in enumerate(explain("finercam", prepared, 0, alpha=0.5)):
        weights = (weight[0] - 0.5 * weight[1]) / maps[0, 0].numel()
        layer_map = torch.einsum("k,khw->hw", weights, maps[row]).clamp(min=0)
        values = torch.nn.functional.interpolate(layer_map[None, None], SIZE, mode="bilinear")[0, 0].numpy()
        np.testing.assert_allclose(saliency.values, values, atol=1e-5)
        assert saliency.details["compared_with"] == "dog"


def test_finer_cam_compares_with_the_nearest_scores_and_never_with_the_class_itself(networks, torch_model, prepare):
    """Even where other classes have the very same score; grad-cam may explain one of those instead."""
    module = networks.seeded(lambda: networks.plain(classes=6))
    with torch.no_grad():
        module[6].weight.zero_()
        module[6].weight[2] = module[6].weight[4] = 1  # two that are the same
        module[6].bias.copy_(torch.tensor([9.0, 0, 0, 1e3, 0, -1e3]))
    model = torch_model(module, SIZE, classes=tuple("abcdef"))
    prepared = prepare(model, "3", count=1)
    score = float(prepared.logits[0, 4])
    middle = ["b", "a"] if abs(score) < abs(score - 9) else ["a", "b"]
    (saliency,) = explain("finercam", prepared, 4)
    assert saliency.details["compared_with"].split(", ") == ["c", *middle]
    (saliency,) = explain("finercam", prepared, 4, comparisons=99)
    assert len(saliency.details["compared_with"].split(", ")) == 5


def test_finer_cam_is_right_where_the_network_is_so_sure_that_the_others_vanish(
    reference, networks, torch_model, prepare
):
    """The reference is built on probabilities; in float64 those of classes 40 below are 1e-18, and divide well."""
    module = networks.seeded(networks.plain)
    with torch.no_grad():
        module[6].bias[1] += 60
    prepared = prepare(torch_model(module, SIZE), "1", count=1)
    (saliency,) = explain("finercam", prepared)
    double = copy.deepcopy(module).double()
    values, _ = reference.REFERENCES["finercam"](double, prepared.inputs.values[0].double(), "1", 1)
    np.testing.assert_allclose(saliency.values, values, atol=1e-4 * values.max())


def test_options_that_do_not_exist_or_cannot_be():
    with pytest.raises(UsageError, match="comparisons of at least 1; got 0"):
        METHODS["finercam"].options({"comparisons": 0})
    with pytest.raises(UnknownNameError, match="unknown option of finercam 'aplha': did you mean alpha"):
        METHODS["finercam"].options({"aplha": 1})
    with pytest.raises(UnknownNameError, match="unknown option of hirescam 'flip': did you mean flips"):
        METHODS["hirescam"].options({"flip": True})
