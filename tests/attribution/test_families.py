"""A method is a function of the part of a batch that it needs: a layer, inputs, a view or a scene."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from lumiscope.agreement import make_mask
from lumiscope.attribution import (
    METHODS,
    KeptClasses,
    LayerMaps,
    PixelMap,
    SegmentValues,
    cam_method,
    gradient_method,
    region_method,
    view_method,
)
from lumiscope.attribution.regions.region_options import RegionOptions
from lumiscope.errors import ModelError
from lumiscope.types import SegmentMap

FACTS = {"title": "Mine", "citation": "nobody 2025", "passes": "none"}
SIZE = (32, 40)


@dataclasses.dataclass(frozen=True)
class Offset:
    """`offset`: added to everything."""

    offset: float = 0.0


@dataclasses.dataclass(frozen=True)
class Quarters(RegionOptions):
    """A grid of four."""

    method = "mine"
    segmenter: str = "grid"


@pytest.fixture(autouse=True)
def registry_of_this_test(monkeypatch):
    METHODS.names()  # those that are found now, too, are there for the next test
    monkeypatch.setattr(METHODS, "_registered", dict(METHODS._registered))


@pytest.fixture
def model(networks, torch_model):
    return torch_model(networks.seeded(networks.plain), SIZE)


def explain(prepared, given=None):
    method = METHODS["mine"]
    return method.explain(prepared, prepared.targets(1, [None] * len(prepared)), method.options(given))


def test_a_cam_method_is_given_each_layer_and_its_maps_are_averaged(model, prepare):
    seen = []

    @cam_method("mine", **FACTS)
    def mine(layer, targets, options):
        seen.append(layer.name)
        value = float(layer.name)
        maps = torch.full((len(targets), 2, 2), value)
        return maps if value > 1 else LayerMaps(maps, [{"row": row} for row in range(len(targets))])

    maps = explain(prepare(model, ["1", "3"], count=2))
    assert seen == ["1", "3"]
    for row, saliency in enumerate(maps):
        np.testing.assert_allclose(saliency.values, np.full(SIZE, 2.0), rtol=1e-6)
        assert (saliency.method, saliency.layer, saliency.details["row"]) == ("mine", "1, 3", row)
    method = METHODS["mine"]
    assert (method.needs_layer, method.needs_gradients, method.perturbs) == (True, False, False)
    assert mine(prepare(model).at("3"), [None], None).shape == (1, 2, 2), "the function itself stays as it was written"


def test_a_gradient_method_is_given_inputs(model, prepare):
    @gradient_method("mine", **FACTS)
    def mine(inputs, targets, options):
        return [image.sum(0).numpy() for image in inputs.values]

    prepared = prepare(model, count=2)
    for saliency, image in zip(explain(prepared), prepared.inputs.values, strict=True):
        np.testing.assert_array_equal(saliency.values, image.sum(0))
        assert saliency.layer is None
    method = METHODS["mine"]
    assert (method.needs_layer, method.needs_gradients, method.mask_rule) == (False, True, "top:20%")


@pytest.mark.parametrize("box", [False, True])
def test_a_view_method_is_given_one_view_and_who_predicts(model, prepare, black_box, box):
    @view_method("mine", **FACTS, options=Offset)
    def mine(view, predictor, target, options):
        (logits,) = predictor.masked_logits(view.pixels, view.pixels, lambda *_: np.ones((1, *view.size), bool), 1)
        values = np.full(view.size, logits[target.index] - target.logit + options.offset)
        return PixelMap(values, {"seed": view.seed("mine")}, shown=np.ones(view.size, np.float32))

    first, second = explain(prepare(black_box(model) if box else model, count=2), {"offset": 3})
    np.testing.assert_allclose(first.values, np.full(SIZE, 3.0), atol=1e-5)
    assert first.details["seed"] != second.details["seed"]
    assert first.options == {"offset": 3}
    assert (first.display() == 1).all()
    assert METHODS["mine"].perturbs


@pytest.mark.parametrize("box", [False, True])
def test_a_region_method_is_given_a_scene_and_its_coefficients_are_painted(model, prepare, black_box, box):
    @region_method("mine", **FACTS, options=Quarters)
    def mine(scene, target, options):
        whole = scene.probabilities(np.ones((1, scene.count), bool), KeptClasses(target.index))[0, 0]
        return SegmentValues(np.arange(scene.count) - 1.0, {"whole": whole})

    prepared = prepare(black_box(model) if box else model, count=1)
    (saliency,) = explain(prepared, {"segmenter_options": {"rows": 2, "columns": 2}, "num_features": 1})
    assert isinstance(saliency, SegmentMap)
    quarters = np.kron([[-1.0, 0.0], [1.0, 2.0]], np.ones((SIZE[0] // 2, SIZE[1] // 2)))
    np.testing.assert_array_equal(saliency.values, quarters)
    np.testing.assert_array_equal(make_mask(saliency, "lime"), quarters == 2)
    assert saliency.details["whole"] == pytest.approx(saliency.target.probability, rel=1e-4)
    assert (METHODS["mine"].perturbs, METHODS["mine"].mask_rule) == (True, "lime")


@pytest.mark.parametrize("decorate", [cam_method, gradient_method])
def test_what_looks_inside_refuses_black_boxes(model, prepare, black_box, decorate):
    @decorate("mine", **FACTS)
    def mine(part, targets, options):
        raise AssertionError("never called")

    with pytest.raises(ModelError, match="box can only predict"):
        explain(prepare(black_box(model)))
