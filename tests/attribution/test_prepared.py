"""What methods share: targets, seeds, one trunk; and the registry they are found by."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.attribution import METHODS, Predictor, PreparedBatch, select_methods
from lumiscope.attribution.predictor import _chooser
from lumiscope.errors import ModelError, TargetError, UnknownNameError, UsageError
from lumiscope.images import Geometry

CLASSES = ("goldfish, Carassius auratus", "kite", "crane", "crane")


@pytest.fixture
def model(networks, torch_model):
    return torch_model(networks.seeded(networks.plain), (32, 40), classes=CLASSES)


@pytest.mark.parametrize("layer", [None, "1"])
def test_logits_are_the_models(model, prepare, layer):
    prepared = prepare(model, layer)
    expected = model.predict(prepared.views)
    np.testing.assert_allclose(prepared.logits, expected, atol=1e-5)
    powers = np.exp(expected.astype(float))
    np.testing.assert_allclose(prepared.probabilities, powers / powers.sum(1, keepdims=True), atol=1e-5)


def test_targets(model, prepare):
    prepared = prepare(model)
    best = prepared.logits.argmax(1).tolist()

    def indices(wanted, labels=(None, None, None)):
        return [target.index for target in prepared.targets(wanted, list(labels))]

    assert indices("predicted") == best
    assert indices("label", [0, None, 2]) == [0, best[1], 2]
    assert indices(1) == [1, 1, 1]
    assert indices("GOLDFISH") == indices("carassius auratus") == indices(CLASSES[0]) == [0, 0, 0]
    target = prepared.targets(1, [None] * 3)[2]
    assert target.name == "kite"
    assert target.logit == pytest.approx(float(prepared.logits[2, 1]))
    assert target.probability == pytest.approx(float(prepared.probabilities[2, 1]))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (4, "from 0 to 3 .*; got 4"),
        (-1, "got -1"),
        ("kites", "no class 'kites': did you mean kite"),
        ("crane", r"several classes of model: \[2, 3\]"),
    ],
)
def test_targets_that_do_not_exist(model, prepare, wanted, message):
    with pytest.raises(TargetError, match=message):
        prepare(model).targets(wanted, [None] * 3)


class NotFinite:
    name, spec, fingerprint, classes = "broken", "callable", "0", ("a", "b")
    geometry, activation = Geometry((8, 8)), "softmax"

    def predict(self, views):
        return np.array([[0, 1], [np.nan, 1], [0, np.inf]], np.float32)[: len(views)]


def test_scores_that_are_not_finite_cannot_be_explained():
    views = [NotFinite.geometry.view(np.zeros((8, 8, 3), np.uint8), name) for name in "xyz"]
    with pytest.raises(TargetError, match="broken gives NaN or infinity for y, z"):
        PreparedBatch(NotFinite(), views).targets("predicted", [None] * 3)


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.needs_gradients])
def test_methods_that_look_inside_refuse_a_black_box(model, prepare, black_box, method):
    prepared = prepare(black_box(model))
    targets = prepared.targets(1, [None] * 3)
    with pytest.raises(ModelError, match="box can only predict"):
        METHODS[method].explain(prepared, targets, METHODS[method].options())


def test_several_methods_cost_one_trunk(model, prepare):
    """Of three images, at two layers; what the model itself is asked once (its layers, the cut) is asked before."""
    for layer in ("1", "3"):
        explain_all(prepare(model, layer, count=1))
    prepared = prepare(model, ["1", "3"])
    targets = prepared.targets("predicted", [None] * 3)
    runs = []
    handle = model.module[0].register_forward_hook(lambda *_: runs.append(1))
    explain_all(prepared, targets)
    handle.remove()
    assert len(runs) == 2


def explain_all(prepared, targets=None):
    for method in ("gradcam", "hirescam", "ablationcam", "eigencam", "shapleycam", "finercam"):
        chosen = METHODS[method]
        chosen.explain(prepared, targets or prepared.targets(1, [None] * len(prepared)), chosen.options())


def test_rows_mirror_images_and_layers_are_made_once_and_hold_the_right_views(model, prepare):
    prepared = prepare(model, ["1", "3"])
    assert prepared.rows([0, 1, 2]) is prepared
    assert prepared.at("1") is prepared.at("1")
    assert prepared.at("1").inputs is prepared.at("3").inputs is prepared.inputs
    assert prepared.mirrored() is prepared.mirrored()
    assert [view.item_id for view in prepared.rows([2, 0]).views] == ["image 2", "image 0"]
    np.testing.assert_array_equal(prepared.mirrored().views[1].pixels, prepared.views[1].pixels[:, ::-1])
    assert (prepared.layers, prepared.at("3").name, prepared.mirrored().layers) == (("1", "3"), "3", ("1", "3"))


def test_gradients_of_any_score_are_those_of_its_parts(model, prepare):
    """Linear in the score: d(2 S_1 - S_3)/dA, with the closed form and without."""
    for layer in ("1", "3"):
        prepared = prepare(model)
        at_layer = prepared.at(layer)
        assert (at_layer.linear_head is None) == (layer == "1")
        parts = [at_layer.gradients(prepared.targets(wanted, [None] * 3)) for wanted in (1, 3)]
        mixed = at_layer.gradients_of(lambda logits: 2 * logits[:, 1] - logits[:, 3])
        torch.testing.assert_close(mixed, 2 * parts[0] - parts[1])


def test_input_gradients_are_those_of_torch(model, prepare):
    prepared = prepare(model)
    inputs = prepared.inputs.values.clone().requires_grad_()
    scores = model.module(inputs)[:, 1]
    (expected,) = torch.autograd.grad(scores.sum(), inputs)
    gradient, came = prepared.inputs.gradients_at(prepared.inputs.values, prepared.targets(1, [None] * 3))
    torch.testing.assert_close(gradient, expected)
    torch.testing.assert_close(came, scores.detach())
    assert all(parameter.grad is None for parameter in model.module.parameters())


@pytest.mark.parametrize("kind", [bool, np.float32])
def test_a_view_seen_through_masks(model, prepare, black_box, kind):
    """m · view + (1 - m) · hidden: exact for a torch model, rounded to bytes for a black box."""
    prepared = prepare(model)
    view = prepared.views[1]
    height, width = view.size
    generator = np.random.default_rng(0)
    masks = generator.random((19, height, width)).astype(np.float32) if kind is np.float32 else None
    masks = generator.random((19, height, width)) > 0.5 if masks is None else masks
    hidden = generator.integers(0, 256, (height, width, 3)).astype(np.uint8)
    weights = masks[..., None].astype(float)
    pictures = weights * view.pixels + (1 - weights) * hidden
    expected = model.module(normalised(pictures)).detach().numpy()
    scores = prepared.predictor.masked_logits(view.pixels, hidden, lambda start, stop: masks[start:stop], 19)
    np.testing.assert_allclose(scores, expected, atol=1e-4)
    box = Predictor(black_box(model))
    scores = box.masked_logits(view.pixels, hidden, lambda start, stop: masks[start:stop], 19)
    np.testing.assert_allclose(scores, model.predict(np.rint(pictures).astype(np.uint8)), atol=1e-4)


def normalised(pictures):
    scaled = (pictures / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    return torch.from_numpy(scaled.transpose(0, 3, 1, 2)).float()


def test_the_registry():
    assert list(METHODS) == select_methods(["*"])
    assert select_methods(["*cam"]) == [name for name in METHODS if name.endswith("cam")]
    assert select_methods(["lime", "grad*", "lime"]) == ["lime", "gradcam", "gradcampp"]
    with pytest.raises(UnknownNameError, match="unknown method 'grandcam': did you mean gradcam"):
        select_methods(["grandcam"])
    with pytest.raises(UnknownNameError, match="unknown option of gradcam 'x'"):
        METHODS["gradcam"].options({"x": 1})
    assert issubclass(UnknownNameError, UsageError)


def test_what_methods_say_they_need():
    needs = {name: (method.needs_gradients, method.needs_layer) for name, method in METHODS.items()}
    for name in ("gradcam", "gradcampp", "hirescam", "layercam", "xgradcam", "eigengradcam", "finercam", "shapleycam"):
        assert needs[name] == (True, True)
    assert needs["ablationcam"] == needs["scorecam"] == needs["eigencam"] == (False, True)
    assert needs["fullgrad"] == (True, False)
    assert needs["lime"] == (False, False)
    for method in METHODS.values():
        assert method.title
        assert any(character.isdigit() for character in method.citation), "a citation has a year"
        assert method.passes


def test_pixels_are_chosen_bit_by_bit():
    first = torch.tensor([[[0.0, -0.0, torch.nan], [1e-45, torch.inf, -2.5]]] * 3)
    second = first.flip(2) + 0.25
    mask = torch.tensor([[[[True, False, True], [False, True, False]]], [[[False] * 3, [True] * 3]]])
    expected = torch.where(mask, first, second)
    assert torch.equal(_chooser(first, second)(mask).view(torch.int32), expected.view(torch.int32))
