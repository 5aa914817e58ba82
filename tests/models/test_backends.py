"""Every backend gives the logits of the network as it is; the choice between them is checked and explained."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from torch import nn

from lumiscope.errors import UnknownNameError
from lumiscope.images import Geometry
from lumiscope.models import BACKENDS, Choice, TorchModel, available_backends
from lumiscope.models.backends.choose_backend import TOLERANCES
from lumiscope.models.backends.openvino_backend import _silent_openvino, run_openvino
from lumiscope.models.backends.registry import half_is_fast

SIZE = (32, 40)
NAMES = [name for name in ("openvino", "onnxruntime", "torch", "eager") if not BACKENDS[name].missing]


def model_of(module, size=SIZE):
    return TorchModel(module.eval(), Geometry(size, mode="squash"), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


def inputs_of(count, size=SIZE):
    return torch.randn(count, 3, *size, generator=torch.Generator().manual_seed(count))


class Conversion(nn.Module):
    """Half-resolution maps, a gate and a 1×1 classifier: parts that exporters have to know."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.gate = nn.Conv2d(8, 8, 1)
        self.fc = nn.Conv2d(8, 4, 1)

    def forward(self, inputs):
        maps = nn.functional.hardswish(self.norm(self.conv(inputs)))
        gated = maps * self.gate(maps.mean((2, 3), keepdim=True)).sigmoid()
        return self.fc(nn.functional.adaptive_avg_pool2d(gated, 1))


@pytest.fixture(scope="module")
def modules(networks):
    factories = {
        "plain": networks.plain,
        "residual": networks.Residual,
        "in place": networks.InPlace,
        "tuple": lambda: networks.Wrapped("tuple"),
        "dict": lambda: networks.Wrapped("dict"),
        "object": lambda: networks.Wrapped("logits"),
        "single logit": lambda: networks.plain(classes=1),
        "single logit without its axis": lambda: nn.Sequential(networks.plain(classes=1), nn.Flatten(0)),
        "gates": Conversion,
        "tokens": networks.Patches,
        "half": networks.Residual,
    }
    return {name: networks.seeded(factory) for name, factory in factories.items()}


KINDS = [
    "plain",
    "residual",
    "in place",
    "tuple",
    "dict",
    "object",
    "single logit",
    "single logit without its axis",
    "gates",
    "tokens",
    "half",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("backend", NAMES)
def test_logits_are_those_of_the_network(modules, backend, kind):
    """Within 1e-5 of the largest, on a view that is not square, in batches that are full and that are not."""
    module = modules[kind].half() if kind == "half" else modules[kind]
    model = model_of(module)
    session = model.session(model.choose_backend(backend, "exact"))
    assert session.backend == backend
    assert session.batch_size > 9
    for count in (1, 2, 9, session.batch_size + 1):
        inputs = inputs_of(count)
        expected = model.logits(inputs)
        came = session.logits(inputs)
        assert came.dtype == torch.float32
        assert came.shape == (count, len(model.classes))
        assert (came - expected).abs().max() <= 1e-5 * expected.abs().max()
    if kind.startswith("single"):
        np.testing.assert_array_equal(came[:, 0], -came[:, 1])


@pytest.mark.parametrize("backend", NAMES)
def test_every_batch_size_gives_the_same_rows_in_order(modules, backend):
    model = model_of(modules["residual"])
    session = model.session(model.choose_backend(backend, "exact"))
    inputs = inputs_of(9)
    expected = model.logits(inputs)
    for count in range(1, 10):
        torch.testing.assert_close(session.logits(inputs[:count]), expected[:count], rtol=1e-4, atol=1e-5)
    came = session.logits_of(lambda start, stop: inputs[start:stop].flip(-1), 9)
    torch.testing.assert_close(came, model.logits(inputs.flip(-1)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backend", NAMES)
@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_the_error_that_is_reported_is_the_difference_of_logits(modules, backend, precision):
    """Half is bfloat16 where the processor has it: 8 bits, so within 0.01 of the largest logit, and not within 1e-6."""
    model = model_of(modules["residual"])
    choice = model.choose_backend(backend, precision)
    assert (choice.backend, choice.precision, choice.asked) == (backend, precision, backend)
    half = precision == "fast" and BACKENDS[backend].half and half_is_fast("cpu")
    assert choice.numbers == ("half" if half else "float32")
    assert choice.error <= TOLERANCES[choice.numbers]
    if backend != "eager":
        assert f"{backend} in {choice.numbers}: logits differ" in choice.why
        assert f"{choice.error:.1e} of the largest" in choice.why
    inputs = model._example(2)
    expected = model.logits(inputs)
    came = model.session(choice).logits(inputs)
    assert float((came - expected).abs().max() / expected.abs().max()) == pytest.approx(choice.error, rel=0.1, abs=1e-7)
    if half and backend == "torch":
        assert choice.error > 1e-4


@pytest.mark.parametrize("numbers", ["float32", "half"])
@pytest.mark.parametrize("layer", ["stem", "block.conv1", "block.bn1", "block", "act"])
def test_trunk_and_head_of_another_way_to_run_it(modules, numbers, layer):
    """The trunk gives the layer's activations, float32 whatever it computes in; head(trunk(x)) the logits."""
    model = model_of(modules["residual"])
    session, inputs = model.session(Choice("torch", "torch", "fast", numbers, 0.0, "")), inputs_of(3)
    expected, came = model.split(layer).trunk(inputs), session.split(layer).trunk(inputs)
    allowed = 1e-5 if numbers == "float32" else 0.05
    for ours, theirs in ((came.activations, expected.activations), *zip(came.context, expected.context, strict=True)):
        assert ours.dtype == torch.float32
        assert (ours - theirs).abs().max() <= allowed * theirs.abs().max()
    logits = model.logits(inputs)
    assert (session.split(layer).head(came) - logits).abs().max() <= allowed * logits.abs().max()
    # the head is exact in any case: it is differentiated
    assert (session.split(layer).head(expected) - logits).abs().max() <= 1e-5 * logits.abs().max()


@pytest.mark.skipif(not half_is_fast("cpu"), reason="this processor has no bfloat16")
def test_where_half_precision_is_too_rough_it_only_looks_for_what_matters(modules):
    model = model_of(modules["residual"])
    exact, fast, half = (
        model.session(Choice("torch", "torch", precision, numbers, 0.0, ""))
        for precision, numbers in (("exact", "float32"), ("fast", "float32"), ("fast", "half"))
    )
    inputs = inputs_of(4)
    assert exact.rough is None
    assert half.rough is None
    torch.testing.assert_close(fast.logits(inputs), exact.logits(inputs))
    torch.testing.assert_close(fast.rough(inputs), half.logits(inputs))
    torch.testing.assert_close(fast.logits_of(lambda at, to: inputs[at:to], 4, fast.rough), half.logits(inputs))


def test_auto_takes_the_first_that_is_right_and_says_so(modules):
    choice = model_of(modules["plain"]).choose_backend("auto", "exact")
    assert choice.backend == available_backends("cpu")[0]
    assert choice.why.startswith(f"{choice.backend} in float32: logits differ from torch float32 by")
    assert choice.facts() == {
        "asked": "auto",
        "backend": choice.backend,
        "precision": "exact",
        "numbers": "float32",
        "error": choice.error,
        "why": choice.why,
    }


def test_names_that_do_not_exist(modules):
    model = model_of(modules["plain"])
    with pytest.raises(UnknownNameError, match="unknown backend 'openvno': did you mean openvino"):
        model.choose_backend("openvno", "exact")
    with pytest.raises(UnknownNameError, match="unknown precision 'exakt': did you mean exact"):
        model.choose_backend("auto", "exakt")


def test_a_network_that_no_exporter_can_hold_still_runs(networks):
    """Its way depends on the pixels: traced with noise it is another network. What is chosen gives its logits."""

    class Ranges(nn.Module):
        def __init__(self):
            super().__init__()
            self.noise, self.pictures = networks.plain(), networks.plain()

        def forward(self, inputs):
            return self.noise(inputs) if float(inputs.abs().max()) > 3 else self.pictures(inputs)

    model = model_of(networks.seeded(Ranges))  # pictures end at 2
    views = [model.geometry.view(np.full((*SIZE, 3), grey, np.uint8), str(grey)) for grey in (0, 255)]
    choice = model.choose_backend("auto", "exact", views)
    assert choice.backend == "torch"
    assert "openvino in float32: logits differ from" in choice.why
    inputs = model.inputs(views)
    torch.testing.assert_close(model.session(choice).logits(inputs), model.logits(inputs))


def test_more_views_than_fit_a_batch_do_not_disturb_the_choice(modules):
    model = model_of(modules["plain"], (224, 224))
    views = [model.geometry.view(np.full((224, 224, 3), 9 * number, np.uint8), str(number)) for number in range(20)]
    assert model.choose_backend("auto", "exact", views).backend == available_backends("cpu")[0]


@pytest.mark.parametrize("backend", NAMES)
@pytest.mark.parametrize("precision", ["exact", "fast"])
def test_the_model_is_what_it_was(networks, backend, precision):
    module = networks.seeded(networks.Residual)
    model = model_of(module)
    module.train()
    module.block.bn1.eval()
    module.fc.weight.requires_grad_(False)
    module.stem.weight.grad = torch.ones_like(module.stem.weight)
    before = {name: (id(value), value.clone()) for name, value in module.state_dict(keep_vars=True).items()}
    flags = [(id(part), part.training, len(part._forward_hooks)) for part in module.modules()]
    trainable = [value.requires_grad for value in module.parameters()]
    session = model.session(model.choose_backend(backend, precision))
    session.logits(inputs_of(3))
    cut = session.split("block.bn1").trunk(inputs_of(3))
    session.split("block.bn1").head(cut)
    assert [(id(part), part.training, len(part._forward_hooks)) for part in module.modules()] == flags
    assert [value.requires_grad for value in module.parameters()] == trainable
    for name, value in module.state_dict(keep_vars=True).items():
        assert id(value) == before[name][0]
        assert torch.equal(value, before[name][1])
    assert torch.equal(module.stem.weight.grad, torch.ones_like(module.stem.weight))


@pytest.mark.skipif("openvino" not in NAMES, reason="openvino is not installed")
def test_a_conversion_that_fails_leaves_the_root_logger_as_it_was(monkeypatch):
    """Else nothing that is not an error is heard for the rest of the process."""
    root = logging.getLogger()
    before = root.level, [*root.filters], [*root.handlers]

    def fail(*_, **__):
        root.setLevel(logging.ERROR)
        root.addFilter(lambda record: False)
        root.addHandler(logging.NullHandler())
        raise RuntimeError("cannot be converted")

    with _silent_openvino() as openvino:
        monkeypatch.setattr(openvino, "convert_model", fail)
    with pytest.raises(RuntimeError, match="cannot be converted"):
        run_openvino(torch.nn.Flatten(), torch.zeros(2, 3, 4, 4), "exact")
    assert (root.level, root.filters, root.handlers) == before
