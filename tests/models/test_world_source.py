"""`world:NAME`: the built-in networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lumiscope.errors import UnknownNameError, UsageError, WeightsError
from lumiscope.models import SOURCES, load_model
from lumiscope.world import OBJECTS, SCENES, render
from lumiscope.world.networks import MEAN, STD

CLASSES = {"objects": OBJECTS, "scenes": SCENES, "shortcut": OBJECTS}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_and_what_it_sees(name):
    model = load_model(f"world:{name}")
    assert model.classes == CLASSES[name]
    assert model.name == name
    assert (model.mean, model.std) == (MEAN, STD)
    assert model.notes == ()
    pixels = render(0, 1).pixels
    np.testing.assert_array_equal(model.geometry.view(pixels).pixels, pixels)
    assert model.geometry.view(np.zeros((300, 200, 3), np.uint8)).pixels.shape == (128, 128, 3)
    assert model.select_layers(["auto:5"]) == [f"stage{number}" for number in range(1, 6)]


def test_they_know_the_world():
    scenes = [render(index, 4) for index in range(60)]
    marked = [render(index, 4, mark=OBJECTS[index % 12]).pixels for index in range(60)]

    def right(name, pixels, truth):
        model = load_model(f"world:{name}")
        said = model.predict(np.stack(pixels)).argmax(axis=1)
        return np.mean([model.classes[best] == true for best, true in zip(said, truth, strict=True)])

    pixels = [scene.pixels for scene in scenes]
    assert right("objects", pixels, [scene.object for scene in scenes]) >= 0.9
    assert right("scenes", pixels, [scene.scene for scene in scenes]) >= 0.9
    assert right("shortcut", marked, [OBJECTS[index % 12] for index in range(60)]) >= 0.8


def test_their_names():
    names = SOURCES["world"].names
    assert names("*") == ["objects", "scenes", "shortcut"]
    assert names("s*") == ["scenes", "shortcut"]
    assert names("resnet*") == []


@pytest.mark.parametrize(
    ("spec", "given", "error", "message"),
    [
        ("world:object", {}, UnknownNameError, "did you mean objects"),
        ("world:clip", {}, UnknownNameError, "unknown world model 'clip'"),
        ("world:objects", {"num_classes": 5}, UsageError, "have 12 classes, not 5"),
        ("world:objects", {"model_options": {"width": 5}}, UsageError, "takes no model options; got width"),
    ],
)
def test_what_cannot_be(spec, given, error, message):
    with pytest.raises(error, match=message):
        load_model(spec, **given)


def test_random_weights():
    model, again, trained = (load_model("world:objects", weights=weights) for weights in ("random", "random", None))
    assert model.fingerprint == again.fingerprint != trained.fingerprint
    assert model.classes == OBJECTS
    assert any("random weights" in note for note in model.notes)
    assert len(load_model("world:objects", weights="random", num_classes=5).classes) == 5


def test_own_weights(tmp_path):
    original = load_model("world:objects", weights="random", num_classes=5)
    with torch.no_grad():
        original.module.fc.bias.add_(1)
    path = tmp_path / "own.safetensors"
    save_file(original.module.state_dict(), path)
    names = ["a", "b", "c", "d", "e"]
    model = load_model("world:objects", weights=path, classes=names)
    assert model.classes == tuple(names)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)
    np.testing.assert_array_equal(model.predict(pixels), original.predict(pixels))
    with pytest.raises(WeightsError, match="--num-classes 5"):
        load_model("world:objects", weights=path)


def test_weights_that_are_not_there(monkeypatch, tmp_path):
    monkeypatch.setattr("lumiscope.world.pretrained.weights_file", lambda name, folder=None: tmp_path / name)
    with pytest.raises(WeightsError, match=r"lumiscope\.world\.train"):
        load_model("world:objects")
