"""The CAM family against slow float64 references, against the grad-cam package, and against what theory says."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from pytorch_grad_cam import AblationCAM, GradCAM, ScoreCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from lumiscope.attribution import attribution_methods, get_method
from lumiscope.errors import LayerError, ModelError

PEERS = {"gradcam": GradCAM, "ablationcam": AblationCAM, "scorecam": ScoreCAM}
CAMS = sorted(PEERS)
every_cam = pytest.mark.parametrize("method", CAMS)
SIZE = (40, 56)


def explain(method, prepared, wanted="predicted"):
    chosen = get_method(method)
    targets = prepared.targets(wanted, [None] * len(prepared))
    return chosen.explain(prepared, targets, chosen.options())


def test_every_method_has_a_reference(reference):
    assert reference.REFERENCES.keys() == attribution_methods().keys()


@every_cam
@pytest.mark.parametrize(
    ("network", "layer"),
    [
        ("plain", "3"),
        ("plain", "1"),
        ("plain", "2"),
        ("Residual", "act"),
        ("Residual", "block.bn1"),
        ("Residual", "block.conv2"),
        ("InPlace", "bn"),
        ("Dense", "one"),
        ("Reused", "mix"),
        ("DataDependent", "mix"),
    ],
)
@pytest.mark.parametrize("wanted", ["predicted", 2])
def test_equals_the_slow_reference(reference, networks, torch_model, prepare, method, network, layer, wanted):
    model = torch_model(networks.seeded(getattr(networks, network)), SIZE)
    prepared = prepare(model, layer, count=2)
    double = copy.deepcopy(model.module).double()
    for saliency, image in zip(explain(method, prepared, wanted), prepared.inputs.double(), strict=True):
        values, display = reference.REFERENCES[method](double, image, layer, saliency.target.index)
        assert saliency.values.shape == SIZE
        assert saliency.values.dtype == np.float32
        scale = max(1e-3, np.abs(values).max())
        np.testing.assert_allclose(saliency.values, values, atol=1e-4 * scale, rtol=0)
        if values.max() > 1e-3:
            np.testing.assert_allclose(saliency.display(), display, atol=1e-3, rtol=0)


@every_cam
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("network", "layer"), [("plain", "3"), ("plain", "1"), ("Residual", "act"), ("InPlace", "relu")]
)
@pytest.mark.parametrize("wanted", ["predicted", 1])
def test_equals_grad_cam(networks, torch_model, prepare, method, seed, network, layer, wanted):
    model = torch_model(networks.seeded(getattr(networks, network), seed), SIZE)
    prepared = prepare(model, layer, first=10 * seed)
    maps = explain(method, prepared, wanted)
    targets = None if wanted == "predicted" else [ClassifierOutputTarget(wanted)] * 3
    module = copy.deepcopy(model.module)
    with PEERS[method](model=module, target_layers=[module.get_submodule(layer)]) as peer:
        expected = peer(input_tensor=prepared.inputs.clone(), targets=targets)
    for ours, theirs in zip(maps, expected, strict=True):
        np.testing.assert_allclose(ours.display(), theirs, atol=1e-4, rtol=0)
    assert max(saliency.display().max() for saliency in maps) > 0.9


@every_cam
def test_a_map_of_a_batch_is_the_map_of_the_image_alone(networks, torch_model, prepare, method):
    model = torch_model(networks.seeded(networks.Residual), SIZE)
    together = explain(method, prepare(model, "block.conv1"))
    for number, saliency in enumerate(together):
        (alone,) = explain(method, prepare(model, "block.conv1", count=1, first=number))
        assert saliency.item_id == alone.item_id == f"image {number}"
        assert saliency.target.index == alone.target.index
        np.testing.assert_allclose(saliency.values, alone.values, atol=1e-5)


@every_cam
def test_what_a_map_says_of_itself(networks, torch_model, prepare, method):
    model = torch_model(networks.seeded(networks.plain), SIZE, classes=("a", "b", "c", "d"))
    prepared = prepare(model, "3")
    logits = model.predict(prepared.views)
    for row, saliency in enumerate(explain(method, prepared)):
        assert (saliency.method, saliency.layer, saliency.options) == (method, "3", {})
        assert saliency.target.index == logits[row].argmax()
        assert saliency.target.name == "abcd"[saliency.target.index]
        assert saliency.target.logit == pytest.approx(logits[row].max(), rel=1e-5)
        powers = np.exp(logits[row].astype(float))
        assert saliency.target.probability == pytest.approx(powers.max() / powers.sum(), rel=1e-5)
        assert saliency.details == {}
        assert saliency.values.min() >= 0
        assert 0 <= saliency.display().min() <= saliency.display().max() <= 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("target", [0, 3])
def test_weights_of_pooled_relu_features_under_a_linear_layer(networks, torch_model, prepare, seed, target):
    """Grad-CAM: w_k = W[c,k]/(h·w). Ablation-CAM: w_k = W[c,k]·mean(A_k)/S."""
    model = torch_model(networks.seeded(networks.plain, seed), SIZE)
    prepared = prepare(model, "3")
    linear = model.module[6]
    maps = prepared.cut.activations
    gradcam, ablationcam = explain("gradcam", prepared, target), explain("ablationcam", prepared, target)
    for row in range(3):
        score = model.predict(prepared.views)[row, target]
        weights = linear.weight[target].detach()
        for saliency, expected in (
            (gradcam[row], weights / (maps.shape[2] * maps.shape[3])),
            (ablationcam[row], weights * maps[row].mean((1, 2)) / score),
        ):
            layer_map = torch.einsum("k,khw->hw", expected, maps[row]).clamp(min=0)
            values = torch.nn.functional.interpolate(layer_map[None, None], SIZE, mode="bilinear")[0, 0]
            np.testing.assert_allclose(saliency.values, values.numpy(), atol=1e-5 * max(1, float(values.max())))


def dead(networks, channels):
    """`plain` with some channels of its last ReLU at 0 everywhere."""
    module = networks.seeded(networks.plain)
    with torch.no_grad():
        module[2].weight[channels] = 0
        module[2].bias[channels] = -1
    return module


@every_cam
def test_channels_of_zeros_change_nothing_but_the_softmax(reference, networks, torch_model, prepare, method):
    model = torch_model(dead(networks, [0, 3, 7]), SIZE)
    prepared = prepare(model, "3", count=1)
    (saliency,) = explain(method, prepared)
    double = copy.deepcopy(model.module).double()
    values, _ = reference.REFERENCES[method](double, prepared.inputs[0].double(), "3", saliency.target.index)
    np.testing.assert_allclose(saliency.values, values, atol=1e-4 * values.max())


@every_cam
def test_a_layer_of_zeros_gives_a_map_of_zeros(networks, torch_model, prepare, method):
    model = torch_model(dead(networks, list(range(8))), SIZE)
    for saliency in explain(method, prepare(model, "3"), 1):
        assert not saliency.values.any()
        assert not saliency.display().any()


def test_ablationcam_of_a_score_of_zero_is_undefined_and_says_so(networks, torch_model, prepare):
    module = networks.seeded(networks.plain)
    with torch.no_grad():
        module[6].weight[2] = 0
        module[6].bias[2] = 0
    prepared = prepare(torch_model(module, SIZE), "3")
    for saliency in explain("ablationcam", prepared, 2):
        assert saliency.target.logit == 0
        assert np.isnan(saliency.values).all()
        assert np.isnan(saliency.display()).all()
        assert saliency.details == {"undefined": "the target's score is 0"}
    for saliency in explain("ablationcam", prepared, 1):
        assert np.isfinite(saliency.values).all()
        assert saliency.details == {}


def test_ablating_with_negative_activations_does_not_depend_on_the_place_in_the_batch(networks, torch_model, prepare):
    model = torch_model(networks.seeded(networks.plain), SIZE)
    last = explain("ablationcam", prepare(model, "2", count=3))[2]
    (alone,) = explain("ablationcam", prepare(model, "2", count=1, first=2))
    np.testing.assert_allclose(last.values, alone.values, atol=1e-5)


def test_more_channels_than_run_at_once(reference, networks, torch_model, prepare):
    model = torch_model(networks.seeded(lambda: networks.plain(width=70)), SIZE)
    prepared = prepare(model, "3", count=1)
    double = copy.deepcopy(model.module).double()
    for method in ("ablationcam", "scorecam"):
        (saliency,) = explain(method, prepared)
        values, _ = reference.REFERENCES[method](double, prepared.inputs[0].double(), "3", saliency.target.index)
        np.testing.assert_allclose(saliency.values, values, atol=1e-4 * values.max())


@every_cam
def test_a_layer_without_maps_is_an_error_in_words(networks, torch_model, prepare, method):
    with pytest.raises(LayerError, match=r"\(channels, height, width\) map; norm gives"):
        explain(method, prepare(torch_model(networks.seeded(networks.Patches)), "norm"))


@every_cam
def test_a_batch_without_a_layer_is_an_error_in_words(networks, torch_model, prepare, method):
    with pytest.raises(ModelError, match="prepared without one"):
        explain(method, prepare(torch_model(networks.seeded(networks.plain))))
