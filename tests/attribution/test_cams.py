"""The CAM family against slow float64 references, and against the grad-cam package."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import pytorch_grad_cam as peers
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection

from lumiscope.attribution import METHODS

PEERS = {
    "ablationcam": peers.AblationCAM,
    "fullgrad": peers.FullGrad,
    "gradcam": peers.GradCAM,
    "gradcampp": peers.GradCAMPlusPlus,
    "hirescam": peers.HiResCAM,
    "layercam": peers.LayerCAM,
    "scorecam": peers.ScoreCAM,
    "shapleycam": peers.ShapleyCAM,
    "xgradcam": peers.XGradCAM,
}
AS_IN_GRAD_CAM = {"ablationcam": {"denominator": "score"}}
FAMILY = sorted([*PEERS, "eigencam", "eigengradcam", "finercam"])
SIZE = (40, 56)
every_method = pytest.mark.parametrize("method", FAMILY)


def explain(method, prepared, wanted="predicted", **options):
    chosen = METHODS[method]
    targets = prepared.targets(wanted, [None] * len(prepared))
    return chosen.explain(prepared, targets, chosen.options(options))


CASES = [
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
    ("Curved", "maps"),
]
SIGNED = [("plain", "2"), ("Residual", "block.conv1"), ("Residual", "block.conv2"), ("Dense", "one")]


@every_method
@pytest.mark.parametrize(
    ("network", "layer", "wanted"), [(*case, ("predicted", 2)[at % 2]) for at, case in enumerate(CASES)]
)
def test_equals_the_slow_reference(reference, networks, torch_model, prepare, method, network, layer, wanted):
    model = torch_model(networks.seeded(getattr(networks, network)), SIZE)
    prepared = prepare(model, layer, count=2)
    double = copy.deepcopy(model.module).double()
    for saliency, image in zip(explain(method, prepared, wanted), prepared.inputs.values.double(), strict=True):
        values, display = reference.REFERENCES[method](double, image, layer, saliency.target.index)
        assert saliency.values.shape == SIZE
        assert saliency.values.dtype == np.float32
        scale = max(1e-3, np.abs(values).max())
        np.testing.assert_allclose(saliency.values, values, atol=1e-4 * scale, rtol=0)
        if values.max() > 1e-3:
            np.testing.assert_allclose(saliency.display(), display, atol=1e-3, rtol=0)


def peer_maps(method, model, prepared, layers, wanted, **options):
    targets = None if wanted == "predicted" else [ClassifierOutputTarget(wanted)] * len(prepared)
    module = copy.deepcopy(model.module)
    with PEERS[method](model=module, target_layers=[module.get_submodule(layer) for layer in layers]) as peer:
        return peer(input_tensor=prepared.inputs.values.clone(), targets=targets, **options)


@pytest.mark.parametrize("method", sorted(PEERS))
@pytest.mark.parametrize(("seed", "wanted"), [(0, "predicted"), (1, 1)])
@pytest.mark.parametrize(
    ("network", "layer"), [("plain", "3"), ("plain", "1"), ("Residual", "act"), ("InPlace", "relu"), ("Curved", "maps")]
)
def test_equals_grad_cam(networks, torch_model, prepare, method, seed, wanted, network, layer):
    model = torch_model(networks.seeded(getattr(networks, network), seed), SIZE)
    prepared = prepare(model, layer, first=10 * seed)
    maps = explain(method, prepared, wanted, **AS_IN_GRAD_CAM.get(method, {}))
    for ours, theirs in zip(maps, peer_maps(method, model, prepared, [layer], wanted), strict=True):
        np.testing.assert_allclose(ours.display(), theirs, atol=1e-4, rtol=0)
    assert max(saliency.display().max() for saliency in maps) > 0.9


@pytest.mark.parametrize("method", sorted({*PEERS} - {"ablationcam", "fullgrad"}))
@pytest.mark.parametrize(("network", "layer"), SIGNED)
def test_equals_grad_cam_where_activations_have_both_signs(networks, torch_model, prepare, method, network, layer):
    """But for Ablation-CAM, whose zero is a large negative number there, and before a ReLU in place, which overwrites
    the activations that grad-cam has kept.
    """
    model = torch_model(networks.seeded(getattr(networks, network)), SIZE)
    prepared = prepare(model, layer)
    for ours, theirs in zip(explain(method, prepared, 1), peer_maps(method, model, prepared, [layer], 1), strict=True):
        np.testing.assert_allclose(ours.display(), theirs, atol=1e-4, rtol=0)


@pytest.mark.parametrize("method", ["eigencam", "eigengradcam"])
@pytest.mark.parametrize(("network", "layer"), CASES)
def test_principal_components_are_those_of_grad_cam_up_to_their_sign(
    networks, torch_model, prepare, method, network, layer
):
    model = torch_model(networks.seeded(getattr(networks, network)), SIZE)
    prepared = prepare(model, layer)
    targets = prepared.targets("predicted", [None] * 3)
    maps, gradients = prepared.at(layer).maps, prepared.at(layer).gradients(targets)
    products = maps if method == "eigencam" else maps * gradients
    for row, saliency in enumerate(explain(method, prepared)):
        product = products[row].detach().numpy()
        (projected,) = get_2d_projection(product[None])
        sign = np.sign(np.corrcoef(projected.flatten(), product.mean(0).flatten())[0, 1])
        (expected,) = scale_cam_image(scale_cam_image(np.maximum(sign * projected, 0)[None], SIZE[::-1]))
        np.testing.assert_allclose(saliency.display(), expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("network", "layer"), [("plain", "3"), ("Residual", "block.conv2"), ("Curved", "maps")])
@pytest.mark.parametrize(("alpha", "comparisons"), [(1.0, 3), (0.6, 2), (0.0, 1)])
def test_finer_cam_equals_grad_cam(networks, torch_model, prepare, seed, network, layer, alpha, comparisons):
    model = torch_model(networks.seeded(getattr(networks, network), seed), SIZE)
    prepared = prepare(model, layer, first=10 * seed)
    module = copy.deepcopy(model.module)
    ranks = list(range(1, comparisons + 1))
    with peers.FinerCAM(module, [module.get_submodule(layer)]) as peer:
        expected = peer(prepared.inputs.values.clone(), None, alpha=alpha, comparison_categories=ranks)
    maps = explain("finercam", prepared, alpha=alpha, comparisons=comparisons)
    for ours, theirs in zip(maps, expected, strict=True):
        np.testing.assert_allclose(ours.display(), theirs, atol=1e-4, rtol=0)


@every_method
def test_a_map_of_a_batch_is_the_map_of_the_image_alone(networks, torch_model, prepare, method):
    model = torch_model(networks.seeded(networks.Residual), SIZE)
    together = explain(method, prepare(model, "block.conv1"))
    for number, saliency in enumerate(together):
        (alone,) = explain(method, prepare(model, "block.conv1", count=1, first=number))
        assert saliency.item_id == alone.item_id == f"image {number}"
        assert saliency.target.index == alone.target.index
        np.testing.assert_allclose(saliency.values, alone.values, atol=1e-5 * max(1, alone.values.max()))


DETAILS = {"fullgrad": {"completeness_gap", "completeness_gap_share"}, "finercam": {"compared_with"}}
OPTIONS = {
    "ablationcam": {"flips": False, "denominator": "magnitude"},
    "finercam": {"flips": False, "alpha": 1.0, "comparisons": 3},
}


@every_method
def test_what_a_map_says_of_itself(networks, torch_model, prepare, method):
    model = torch_model(networks.seeded(networks.plain), SIZE, classes=("a", "b", "c", "d"))
    prepared = prepare(model, "3")
    logits = model.predict(prepared.views)
    layer = None if method == "fullgrad" else "3"
    for row, saliency in enumerate(explain(method, prepared)):
        assert (saliency.method, saliency.layer) == (method, layer)
        assert saliency.options == OPTIONS.get(method, {"flips": False})
        assert saliency.target.index == logits[row].argmax()
        assert saliency.target.name == "abcd"[saliency.target.index]
        assert saliency.target.logit == pytest.approx(logits[row].max(), rel=1e-5)
        powers = np.exp(logits[row].astype(float))
        assert saliency.target.probability == pytest.approx(powers.max() / powers.sum(), rel=1e-5)
        assert saliency.details.keys() == DETAILS.get(method, set())
        assert saliency.values.min() >= 0
        assert 0 <= saliency.display().min() <= saliency.display().max() <= 1
