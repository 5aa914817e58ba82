"""What networks and factories state of themselves, and means and deviations that no picture can have."""

from __future__ import annotations

import sys

import pytest
import torch

from lumiscope.errors import ModelError, UsageError
from lumiscope.images import Geometry
from lumiscope.models import TorchModel, load_model

CODE = """
import numpy as np
import torch
import lumiscope
from lumiscope.images import Geometry

def small(count=3):
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
                               torch.nn.Flatten(), torch.nn.Linear(4, count))

class Stating(torch.nn.Sequential):
    mean = (0.1, 0.2, 0.3)
    std = 0.25
    input_size = (3, 40, 48)
    classes = ["a", "b", "c"]

    def __init__(self):
        super().__init__(*small())

def factory():
    return small()

factory.mean, factory.std, factory.input_size = np.array([0.5, 0.5, 0.5]), [0.5] * 3, 32
factory.classes = ("x", "y", "z")

def mixed():
    network = small()
    network.mean = 0.4
    return network

mixed.mean, mixed.std = 0.3, 0.2

def of_timm():
    network = small()
    network.default_cfg = {"mean": (0.1,) * 3, "std": (0.2,) * 3, "input_size": (3, 64, 64), "crop_pct": 1.0}
    return network

def half_of_timm():
    network = small()
    network.default_cfg = {"mean": (0.1,) * 3}
    return network

class Normalising(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1))
        self.std = torch.ones(3, 1, 1)
        self.classes = 3
        self.body = small()

    def forward(self, x):
        return self.body((x - self.mean) / self.std)

def whole(count=3):
    return lumiscope.TorchModel(
        small(count), Geometry((24, 32), mode="squash", interpolation="bicubic"), mean=(0.1,) * 3, std=(0.3,) * 3,
        classes=tuple("abc")[:count], activation="sigmoid", notes=("mine",),
    )

def caffe():
    network = small()
    network.mean = (123.68, 116.78, 103.94)
    return network

def resized():
    geometry = Geometry((24, 32), mode="squash", resize_size=(30, 40))
    return lumiscope.TorchModel(small(), geometry, mean=(0,) * 3, std=(1,) * 3)

READY = whole()
NETWORK = Stating()
"""


@pytest.fixture
def code(tmp_path, monkeypatch):
    """The module's name, in the current folder."""
    name = f"stating_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    return name


@pytest.mark.parametrize(
    ("name", "mean", "std", "size", "classes"),
    [
        ("Stating", (0.1, 0.2, 0.3), (0.25,) * 3, (40, 48), ("a", "b", "c")),
        ("NETWORK", (0.1, 0.2, 0.3), (0.25,) * 3, (40, 48), ("a", "b", "c")),
        ("factory", (0.5,) * 3, (0.5,) * 3, (32, 32), ("x", "y", "z")),
        ("of_timm", (0.1,) * 3, (0.2,) * 3, (64, 64), ("class 0", "class 1", "class 2")),
        ("whole", (0.1,) * 3, (0.3,) * 3, (24, 32), ("a", "b", "c")),
        ("READY", (0.1,) * 3, (0.3,) * 3, (24, 32), ("a", "b", "c")),
    ],
)
def test_what_is_stated_is_taken_and_nothing_is_assumed(code, name, mean, std, size, classes):
    model = load_model(f"python:{code}:{name}")
    assert (model.mean, model.std, model.geometry.input_size, model.classes) == (mean, std, size, classes)
    assert not [note for note in model.notes if "assumed" in note]


def test_the_network_goes_before_its_factory_and_the_user_before_both(code):
    model = load_model(f"python:{code}:mixed", input_size=32, activation="softmax")
    assert (model.mean, model.std, model.notes) == ((0.4,) * 3, (0.2,) * 3, ())
    told = load_model(f"python:{code}:Stating", mean=0.5, std=[0.1, 0.2, 0.3], input_size=24, classes=["r", "g", "b"])
    assert (told.mean, told.std, told.geometry.input_size) == ((0.5,) * 3, (0.1, 0.2, 0.3), (24, 24))
    assert told.classes == ("r", "g", "b")


def test_what_a_config_leaves_open_is_assumed_and_said(code):
    model = load_model(f"python:{code}:half_of_timm", activation="softmax")
    assert model.mean == (0.1,) * 3
    assert model.notes == ("nothing states this model's preprocessing; assumed: input size 224×224, ImageNet std",)


def test_tensors_of_a_network_that_normalises_itself_state_nothing(code):
    model = load_model(f"python:{code}:Normalising", input_size=32, activation="softmax")
    assert model.mean == (0.485, 0.456, 0.406)
    assert model.notes == ("nothing states this model's preprocessing; assumed: ImageNet mean, ImageNet std",)
    assert model.classes == ("class 0", "class 1", "class 2")


def test_a_whole_model_says_the_rest_too(code):
    model = load_model(f"python:{code}:whole", name="told")
    assert isinstance(model, TorchModel)
    assert model.geometry == Geometry((24, 32), mode="squash", interpolation="bicubic")
    assert (model.activation, model.notes, model.name) == ("sigmoid", ("mine",), "told")
    resized = load_model(f"python:{code}:resized")
    assert resized.geometry == Geometry((24, 32), mode="squash", resize_size=(30, 40))
    ready = load_model(f"python:{code}:READY")
    assert ready.module is not sys.modules[code].READY.module


def test_stated_names_hold_for_own_weights(code, tmp_path):
    model = load_model(f"python:{code}:Stating")
    torch.save({"model": model.module.state_dict()}, tmp_path / "w.pt")
    assert load_model(f"python:{code}:Stating", weights=tmp_path / "w.pt").classes == ("a", "b", "c")


def test_what_is_stated_must_be_of_use(code):
    with pytest.raises(ModelError, match=r"attributes mean, .* of no use: .*--mean 0\.485,0\.458,0\.4076"):
        load_model(f"python:{code}:caffe", input_size=32)


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375),
         r"got 123.675, 116.28, 103.53.*divided by 255: --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"),
        ((123.675, 116.28, 103.53), None, r"--mean 0.485,0.456,0.406$"),
        (127.5, 127.5, r"--mean 0.5,0.5,0.5 --std 0.5,0.5,0.5"),
        (0.5, 58.395, r"expected std .* got 58.395"),
        (-0.5, 0.5, r"expected mean of pixels in \[0, 1\], between 0 and 1; got -0.5, -0.5, -0.5.$"),
        (1.2, None, r"between 0 and 1; got 1.2, 1.2, 1.2.$"),
        (None, 1.2, r"expected std .* got 1.2, 1.2, 1.2.$"),
        (0.5, 51, r"divided by 255: --mean 0.5,0.5,0.5 --std 0.2,0.2,0.2$"),
        (51, 1, r"divided by 255: --mean 0.2,0.2,0.2 --std 0.003922,0.003922,0.003922$"),
        (300, 1, r"got 300, 300, 300.$"),
        (float("nan"), 1, r"got nan"),
        (0.5, float("inf"), r"got inf"),
    ],
)  # fmt: skip
def test_numbers_that_no_picture_in_0_to_1_has(code, mean, std, message):
    with pytest.raises(UsageError, match=message):
        load_model(f"python:{code}:factory", mean=mean, std=std)


@pytest.mark.parametrize(("mean", "std"), [(0, 1), (0, 1 / 255), (1, 0.001), (0.5, 0.5)])
def test_numbers_that_some_networks_really_want(code, mean, std):
    assert load_model(f"python:{code}:factory", mean=mean, std=std).std == (std,) * 3
