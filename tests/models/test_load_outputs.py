"""Networks of every kind through the loader: what they return, in which precision they are, and where they run."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax

from lumiscope.attribution import METHODS, PreparedBatch
from lumiscope.errors import ModelError, UnknownNameError, UsageError
from lumiscope.models import load_model
from lumiscope.models._device import available_devices, usable_device

NETWORKS = (Path(__file__).parent / "networks.py").read_text()
CODE = """

def wrapped(kind):
    return seeded(lambda: Wrapped(kind))

def typed(dtype="float32", frozen=False):
    module = seeded(plain, dtype=getattr(torch, dtype))
    return module.requires_grad_(not frozen)

@torch.no_grad()
def made_without_gradients():
    return typed()

def ready():
    return nn.Sequential(typed(), nn.Softmax(1)).eval()

class Smoothed(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = plain()

    def forward(self, inputs):
        return 0.9 * self.net(inputs).softmax(1) + 0.025

def smoothed():
    return seeded(Smoothed)

class Single(nn.Module):
    def __init__(self, flat):
        super().__init__()
        self.net, self.flat = plain(classes=1), flat

    def forward(self, inputs):
        logits = self.net(inputs)
        return logits[:, 0] if self.flat else logits

def single(flat=False):
    return seeded(lambda: Single(flat))

class Sure(Single):
    def forward(self, inputs):
        return torch.sigmoid(super().forward(inputs))

def sure(flat):
    return seeded(lambda: Sure(flat))

class TwoInputs(nn.Module):
    def forward(self, inputs, other):
        return inputs

def two_inputs():
    return TwoInputs()
"""
PIXELS = np.random.default_rng(0).integers(0, 256, (3, 32, 48, 3), dtype=np.uint8)
GIVEN = {"mean": 0.5, "std": 0.25, "input_size": (32, 48), "geometry": "squash"}


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load one of the factories above, on non-square input."""
    name = f"outputs_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(NETWORKS + CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return lambda factory, options=None, **given: load_model(
        f"python:{name}:{factory}", model_options=options or {}, **{**GIVEN, **given}
    )


def gradcam(model):
    prepared = PreparedBatch(model, [model.geometry.view(PIXELS[0], "p")], layer="3")
    return METHODS["gradcam"].explain(prepared, prepared.targets(1, [None]), METHODS["gradcam"].options())[0]


@pytest.mark.parametrize("kind", ["tuple", "dict", "object"])
def test_logits_in_every_wrapping(load, kind) -> None:
    plain = load("typed")
    model = load("wrapped", {"kind": kind})
    assert len(model.classes) == 4
    model.module.net.load_state_dict(plain.module.state_dict())
    np.testing.assert_array_equal(model.predict(PIXELS), plain.predict(PIXELS))
    np.testing.assert_allclose(
        softmax(plain.predict(PIXELS), 1), PreparedBatch(plain, [plain.geometry.view(p) for p in PIXELS]).probabilities,
        rtol=1e-6,
    )  # fmt: skip


@pytest.mark.parametrize(("dtype", "step"), [("float16", 2**-11), ("bfloat16", 2**-8), ("float64", 2**-52)])
def test_other_precisions_are_run_as_a_float32_copy(load, dtype, step) -> None:
    exact, model = load("typed"), load("typed", {"dtype": dtype})
    kinds = {parameter.dtype for parameter in model.module.parameters()}
    weight = exact.module[0].weight
    np.testing.assert_allclose(model.network[0].weight.detach(), weight.detach(), rtol=2 * step, atol=1e-6)
    copied = [parameter.to(getattr(torch, dtype)).float() for parameter in exact.module.parameters()]
    for ours, rounded in zip(model.network.parameters(), copied, strict=True):
        assert torch.equal(ours, rounded)
    scores = model.predict(PIXELS)
    with torch.no_grad():
        expected = model.network(model.inputs(PIXELS)).numpy()
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-6)
    assert gradcam(model).values.max() > 0
    assert {parameter.dtype for parameter in model.module.parameters()} == kinds == {getattr(torch, dtype)}


def test_frozen_networks_and_no_grad_change_no_map(load) -> None:
    expected = gradcam(load("typed")).values
    assert expected.shape == (32, 48)
    assert expected.max() > 0
    np.testing.assert_array_equal(gradcam(load("typed", {"frozen": True})).values, expected)
    np.testing.assert_array_equal(gradcam(load("made_without_gradients")).values, expected)
    with torch.no_grad():
        np.testing.assert_array_equal(gradcam(load("typed")).values, expected)


@pytest.mark.parametrize("flat", [False, True])
def test_a_single_logit_is_no_or_yes(load, flat) -> None:
    model = load("single", {"flat": flat})
    assert (model.classes, model.activation) == (("no", "yes"), "sigmoid")
    with torch.no_grad():
        logit = model.module.net(model.inputs(PIXELS))[:, 0].numpy()
    np.testing.assert_allclose(model.predict(PIXELS), np.stack([-logit, logit], 1), rtol=1e-5)
    prepared = PreparedBatch(model, [model.geometry.view(picture) for picture in PIXELS])
    targets = prepared.targets("yes", [None] * 3)
    np.testing.assert_allclose([target.probability for target in targets], expit(logit), rtol=1e-5)
    assert load("single", activation="sigmoid", classes=["cat", "dog"]).classes == ("cat", "dog")
    said = load("single", {"flat": flat}, activation="none")
    np.testing.assert_allclose(said.predict(PIXELS), np.stack([1 - logit, logit], 1), rtol=1e-5)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("activation", [None, "none", "sigmoid", "softmax"])
def test_a_network_that_ends_in_a_sigmoid_is_explained_before_it(load, flat, activation) -> None:
    """Whatever of its own it is, nothing of it is changed: not even by the second score."""
    model, logits = load("sure", {"flat": flat}, activation=activation), load("single")
    assert (model.classes, model.activation) == (("no", "yes"), "sigmoid")
    assert model.notes == (
        "it ends in a sigmoid: its scores are probabilities, and methods explain what the sigmoid is given",
    )
    np.testing.assert_allclose(model.predict(PIXELS), logits.predict(PIXELS), rtol=1e-5)
    assert model.module(model.inputs(PIXELS)).shape == ((3,) if flat else (3, 1))
    views = [model.geometry.view(picture) for picture in PIXELS]
    prepared, of_logits = (PreparedBatch(each, views, layer="net.3") for each in (model, logits))
    np.testing.assert_allclose(prepared.probabilities[:, 1], expit(prepared.logits[:, 1]), rtol=1e-6)
    for target in ("yes", "no"):
        came, slopes = (each.at("net.3").gradients(each.targets(target, [None] * 3)) for each in (prepared, of_logits))
        np.testing.assert_allclose(came.numpy(), slopes.numpy(), rtol=1e-4, atol=1e-7)


def test_a_network_that_ends_in_a_softmax_is_explained_before_it(load) -> None:
    for activation in (None, "none", "softmax"):  # which is not applied a second time
        model = load("ready", activation=activation)
        assert model.activation == "softmax"
        assert model.notes == (
            "it ends in a softmax: its scores are probabilities, and methods explain what the softmax is given",
        )
        np.testing.assert_allclose(model.predict(PIXELS), load("typed").predict(PIXELS), rtol=1e-5, atol=1e-6)
    other = load("ready", activation="sigmoid")  # as the user says it
    np.testing.assert_allclose(other.predict(PIXELS), softmax(load("typed").predict(PIXELS), 1), rtol=1e-5)
    assert other.notes == (
        "its scores add up to 1, and the sigmoid is applied to them as asked; if they are probabilities, say "
        "--activation none",
    )


def test_a_network_of_two_inputs_is_an_error_in_words(load) -> None:
    with pytest.raises(ModelError, match="takes 2 inputs: inputs, other"):
        load("two_inputs")


def test_sigmoid_heads_and_outputs_that_are_probabilities(load) -> None:
    plain, many, ready = load("typed"), load("typed", activation="sigmoid"), load("smoothed", activation="none")
    scores = plain.predict(PIXELS)
    np.testing.assert_array_equal(many.predict(PIXELS), scores)
    smoothed = 0.9 * softmax(scores, 1) + 0.025
    np.testing.assert_allclose(ready.predict(PIXELS), smoothed, rtol=1e-5)
    for model, expected in ((plain, softmax(scores, 1)), (many, expit(scores)), (ready, smoothed)):
        prepared = PreparedBatch(model, [model.geometry.view(picture) for picture in PIXELS])
        np.testing.assert_allclose(prepared.probabilities, expected, rtol=1e-5)
    assert len({plain.fingerprint, many.fingerprint, ready.fingerprint}) == 3
    with pytest.raises(ModelError, match=r"expected probabilities .*--activation softmax or sigmoid"):
        load("typed", activation="none")
    with pytest.raises(UnknownNameError, match="unknown activation 'sigmiod': did you mean sigmoid"):
        load("typed", activation="sigmiod")


def test_height_and_width_are_not_exchanged(load) -> None:
    wide = load("typed")
    assert wide.inputs(PIXELS).shape == (3, 3, 32, 48)
    turned = np.ascontiguousarray(PIXELS.swapaxes(1, 2))
    transposed = load("typed", input_size=[48, 32])
    with torch.no_grad():
        for name in ("0", "2"):
            layer = transposed.layer(name)
            layer.weight.copy_(layer.weight.transpose(2, 3).clone())
    np.testing.assert_allclose(transposed.predict(turned), wide.predict(PIXELS), rtol=1e-4, atol=1e-5)


def test_devices(monkeypatch) -> None:
    assert usable_device(None) == usable_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match=r"device cuda is not available to torch on this machine; here are: cpu"):
        load_model("world:objects", device="cuda")
    with pytest.raises(UnknownNameError, match="unknown device 'cude': did you mean cuda"):
        load_model("world:objects", device="cude")
    with pytest.raises(UsageError, match="expected a device as cpu, cuda"):
        usable_device("cuda:first")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert available_devices() == ["cpu", "cuda", "cuda:1"]
    assert [usable_device(name) for name in ("cuda", "cuda:0", "cuda:1")] == [
        torch.device(name) for name in ("cuda", "cuda:0", "cuda:1")
    ]
    with pytest.raises(UsageError, match=r"device cuda:2 is not available"):
        usable_device("cuda:2")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
def test_a_graphics_card_gives_the_same_logits_and_maps(load) -> None:
    here, there = load("typed"), load("typed", device="cuda")
    assert there.device.type == "cuda"
    np.testing.assert_allclose(there.predict(PIXELS), here.predict(PIXELS), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(gradcam(there).display(), gradcam(here).display(), atol=1e-3)
