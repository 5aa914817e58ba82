"""Every method on every kind of network: CNNs, token networks, whatever their outputs, sizes and number formats.

The CAM family and the plain gradients must equal their slow float64 references there; every other method must give
finite maps, the same ones again, and leave the model as it was.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from lumiscope.attribution import METHODS, PreparedBatch
from lumiscope.errors import LayerError

spec = importlib.util.spec_from_file_location("kinds", Path(__file__).with_name("kinds.py"))
architectures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(architectures)

KINDS = sorted(architectures.KINDS)
COMPARED = {
    "ablationcam",
    "eigencam",
    "eigengradcam",
    "finercam",
    "gradcam",
    "gradcampp",
    "hirescam",
    "input_x_gradient",
    "layercam",
    "saliency",
    "scorecam",
    "shapleycam",
    "xgradcam",
}


@pytest.fixture(scope="module")
def explain(cheap_options):
    """Maps of what is predicted."""

    def run(method, prepared):
        targets = prepared.targets("predicted", [None] * len(prepared))
        return METHODS[method].explain(prepared, targets, cheap_options(method))

    return run


def state_of(module):
    return (
        {name: value.clone() for name, value in module.state_dict().items()},
        [(part.training, dict(part._forward_hooks), dict(part._forward_pre_hooks)) for part in module.modules()],
        [(parameter.requires_grad, parameter.grad) for parameter in module.parameters()],
    )


def assert_same(before, after):
    assert before[1:] == after[1:]
    assert all(torch.equal(value, after[0][name]) for name, value in before[0].items())


@pytest.mark.parametrize("kind", KINDS)
def test_the_automatic_layer(model_of, kind):
    assert model_of(kind).target_layer == architectures.KINDS[kind][1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_on_every_kind_of_network(model_of, prepare, explain, kind, method):
    model = model_of(kind)
    layer = model.target_layer
    before = state_of(model.module)
    maps = explain(method, prepare(model, layer, count=2))
    assert_same(before, state_of(model.module))
    for saliency, again in zip(maps, explain(method, prepare(model, layer, count=2)), strict=True):
        assert saliency.values.shape == model.geometry.input_size
        assert saliency.values.dtype == np.float32
        assert np.isfinite(saliency.values).all()
        shown = saliency.display()
        assert 0 <= shown.min() <= shown.max() <= 1
        np.testing.assert_array_equal(saliency.values, again.values)
    if method in COMPARED:
        architectures.compare_with_reference(model, layer, method, prepare(model, layer, count=2), maps)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "kind"),
    [("torch", kind) for kind in KINDS] + [("openvino", kind) for kind in ("vit, registers", "swin", "hub vit")],
)
def test_another_backend_gives_the_same_maps(model_of, prepare, explain, backend, kind):
    model = model_of(kind)
    plain = prepare(model, model.target_layer, count=2)
    choice = model.choose_backend(backend, "exact", plain.views)
    assert choice.backend == backend
    other = PreparedBatch(model, plain.views, layer=plain.layers, session=model.session(choice))
    for method in ("gradcam", "ablationcam", "scorecam"):
        for ours, expected in zip(explain(method, other), explain(method, plain), strict=True):
            np.testing.assert_allclose(ours.display(), expected.display(), atol=1e-3, rtol=0)


@pytest.mark.parametrize("method", [method for method in METHODS if METHODS[method].needs_layer])
def test_a_layer_that_gives_a_tuple_is_its_first_tensor(networks, torch_model, prepare, explain, method):
    """`pair` gives (what its `conv` gives, a number)."""
    model = torch_model(networks.seeded(networks.TupleLayer), (32, 32))
    for saliency, other in zip(
        explain(method, prepare(model, "pair")), explain(method, prepare(model, "pair.conv")), strict=True
    ):
        np.testing.assert_allclose(saliency.values, other.values, rtol=1e-5, atol=1e-5)
        assert saliency.values.any()


@pytest.mark.parametrize("method", [method for method in METHODS if METHODS[method].needs_layer])
def test_a_layer_without_a_map_is_refused(model_of, prepare, explain, method):
    with pytest.raises(LayerError, match=r"net\.4 gives shape \(8, 1, 1\)"):
        explain(method, prepare(model_of("tuple"), "net.4"))
