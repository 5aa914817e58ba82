"""`python:module:name`: networks, factories and functions of pictures, told apart by what they are."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from lumiscope.errors import ModelError, UsageError
from lumiscope.models import BlackBox, TorchModel, load_model

CODE = '''
import functools
import numpy as np
import torch

NETWORK = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 2)).train()

def shares(pixels, sharpness=1.0):
    sums = pixels.sum((1, 2), dtype=np.float64) ** sharpness
    return sums / sums.sum(1, keepdims=True)

class Colours:
    """A factory by its class, a black box by its instances."""
    classes = ["red", "green", "blue"]
    input_size = (16, 24)

    def __init__(self, sharpness=1.0):
        self.sharpness = sharpness

    def __call__(self, pixels):
        return shares(pixels, self.sharpness)

colours = Colours()
halved = functools.partial(shares, sharpness=0.5)

def make(sharpness=1.0):
    return lambda pixels: shares(pixels, sharpness)

def make_net(num_classes=2, width=4):
    return torch.nn.Sequential(torch.nn.Conv2d(3, width, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
                               torch.nn.Linear(width, num_classes))

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(x.mean((2, 3)))

def needs_width(width):
    return make_net(width=width)

def late(pixels):
    import {name}_helper
    return {name}_helper.shares(pixels)

def odd(pixels):
    return shares(pixels)
odd.input_size = "big"
'''
PICTURES = np.random.default_rng(0).integers(0, 256, (4, 16, 24, 3), dtype=np.uint8)


def shares(pixels, sharpness=1.0):
    sums = pixels.sum((1, 2), dtype=np.float64) ** sharpness
    return sums / sums.sum(1, keepdims=True)


@pytest.fixture
def code(tmp_path, monkeypatch):
    """The name of a module with CODE, in the current folder."""
    name = f"boxes_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(CODE.replace("{name}", name))
    (tmp_path / f"{name}_helper.py").write_text(f"from {name} import shares\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return name


@pytest.mark.parametrize(
    ("name", "options", "sharpness"),
    [
        ("shares", {}, 1),
        ("shares", {"sharpness": 2}, 2),
        ("colours", {}, 1),
        ("Colours", {}, 1),
        ("Colours", {"sharpness": 2}, 2),
        ("halved", {}, 0.5),
        ("make", {}, 1),
        ("make", {"sharpness": 2}, 2),
        ("late", {}, 1),
    ],
)
def test_functions_of_pictures_and_what_makes_them(code, name, options, sharpness) -> None:
    before = list(sys.path)
    model = load_model(f"python:{code}:{name}", model_options=options, input_size=(16, 24))
    assert isinstance(model, BlackBox)
    assert (model.name, model.activation) == (name, "none")
    np.testing.assert_allclose(model.predict(PICTURES), shares(PICTURES, sharpness), rtol=1e-6)
    assert sys.path == before


def test_attributes_say_names_and_size(code) -> None:
    for name in ("colours", "Colours"):
        model = load_model(f"python:{code}:{name}")
        assert (model.classes, model.geometry.input_size) == (("red", "green", "blue"), (16, 24))
    renamed = load_model(f"python:{code}:colours", classes=["r", "g", "b"], input_size=8)
    assert (renamed.classes, renamed.geometry.input_size) == (("r", "g", "b"), (8, 8))
    plain = load_model(f"python:{code}:shares")
    assert plain.notes[0] == "nothing states this model's preprocessing; assumed: input size 224×224"


@pytest.mark.parametrize(("name", "options"), [("make_net", {"width": 6}), ("Net", {}), ("needs_width", {"width": 3})])
def test_factories_of_networks(code, name, options) -> None:
    model = load_model(f"python:{code}:{name}", model_options=options, input_size=16)
    assert isinstance(model, TorchModel)
    assert len(model.classes) == 2


def test_a_network_is_copied_not_changed(code, tmp_path) -> None:
    model = load_model(f"python:{code}:NETWORK", input_size=16)
    network = sys.modules[code].NETWORK
    assert network.training
    assert not model.module.training
    assert torch.equal(model.module[2].weight, network[2].weight)
    torch.save({"2.weight": torch.ones(2, 3), "2.bias": torch.zeros(2)}, tmp_path / "w.pt")
    loaded = load_model(f"python:{code}:NETWORK", weights=tmp_path / "w.pt", classes=["a", "b"], input_size=16)
    assert torch.equal(loaded.module[2].weight, torch.ones(2, 3))
    assert not torch.equal(network[2].weight, torch.ones(2, 3))
    with pytest.raises(UsageError, match="a network already; it takes no options, got width"):
        load_model(f"python:{code}:NETWORK", model_options={"width": 3})


@pytest.mark.parametrize(
    ("name", "given", "error", "message"),
    [
        ("shares", {"model_options": {"sharpnes": 2}}, UsageError, "does not take these options"),
        ("shares", {"mean": 0.5}, UsageError, "8-bit pixels as they are"),
        ("shares", {"weights": "random"}, UsageError, "brings its own weights"),
        ("shares", {"device": "cpu:1"}, UsageError, "not available"),
        ("shares", {"num_classes": 4}, ModelError, "expected 4 classes; .* has 3"),
        ("shares", {"classes": ["a"]}, ModelError, "expected 1 scores a picture"),
        ("needs_width", {}, ModelError, r"'width' was given pictures; if it is a factory: --model-option width="),
        ("odd", {}, ModelError, "attributes classes and input_size"),
    ],
)
def test_what_does_not_fit(code, name, given, error, message) -> None:
    with pytest.raises(error, match=message):
        load_model(f"python:{code}:{name}", **{"input_size": 16, **given})


def test_the_fingerprint_follows_options_and_code(code, tmp_path) -> None:
    def fingerprint(**options):
        return load_model(f"python:{code}:shares", model_options=options, input_size=16).fingerprint

    first = fingerprint()
    assert fingerprint() == first
    assert fingerprint(sharpness=2) != first
    with (tmp_path / f"{code}.py").open("a") as file:
        file.write("# changed\n")
    assert fingerprint() != first
