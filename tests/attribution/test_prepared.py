"""What methods share: targets, seeds, one trunk; and the registry they are found by."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.attribution import PreparedBatch, attribution_methods, get_method, select_methods
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
    geometry = Geometry((8, 8))

    def predict(self, views):
        return np.array([[0, 1], [np.nan, 1], [0, np.inf]], np.float32)[: len(views)]


def test_scores_that_are_not_finite_cannot_be_explained():
    views = [NotFinite.geometry.view(np.zeros((8, 8, 3), np.uint8), name) for name in "xyz"]
    with pytest.raises(TargetError, match="broken gives NaN or infinity for y, z"):
        PreparedBatch(NotFinite(), views).targets("predicted", [None] * 3)


@pytest.mark.parametrize("method", ["gradcam", "ablationcam", "scorecam"])
def test_methods_that_look_inside_refuse_a_black_box(method):
    view = NotFinite.geometry.view(np.zeros((8, 8, 3), np.uint8), "x")
    prepared = PreparedBatch(NotFinite(), [view], layer="0")
    with pytest.raises(ModelError, match="broken can only predict"):
        get_method(method).explain(prepared, [], get_method(method).options())


def test_several_methods_cost_one_trunk(model, prepare):
    prepared = prepare(model, "1")
    runs = []
    model.split("1")
    handle = model.module[0].register_forward_hook(lambda *_: runs.append(1))
    targets = prepared.targets("predicted", [None] * 3)
    for method in ("gradcam", "ablationcam"):
        get_method(method).explain(prepared, targets, get_method(method).options())
    handle.remove()
    assert len(runs) == 1


def test_the_registry():
    assert list(attribution_methods()) == select_methods(["*"])
    assert select_methods(["*cam"]) == [name for name in attribution_methods() if name.endswith("cam")]
    assert select_methods(["lime", "grad*", "lime"]) == ["lime", "gradcam"]
    with pytest.raises(UnknownNameError, match="unknown method 'grandcam': did you mean gradcam"):
        select_methods(["grandcam"])
    with pytest.raises(UnknownNameError, match="unknown option of gradcam 'x'"):
        get_method("gradcam").options({"x": 1})
    assert issubclass(UnknownNameError, UsageError)


def test_what_methods_say_they_need():
    needs = {name: (method.needs_gradients, method.needs_layer) for name, method in attribution_methods().items()}
    assert needs["gradcam"] == (True, True)
    assert needs["ablationcam"] == needs["scorecam"] == (False, True)
    assert needs["lime"] == (False, False)
    for method in attribution_methods().values():
        assert method.title
        assert any(character.isdigit() for character in method.citation), "a citation has a year"
        assert method.passes
        assert method.version >= 1
