"""`hf-hub:` and `local-dir:`: timm configs from a folder or the hub's cache, never over a network here."""

from __future__ import annotations

import json

import numpy as np
import pytest
import timm
import torch

from lumiscope.errors import ModelError, UnknownNameError, UsageError, WeightsError
from lumiscope.images import Geometry
from lumiscope.models import load_model
from models.timm_folder import COMMIT, write_cache, write_folder


@pytest.fixture
def folder(tmp_path):
    """A folder as timm writes it."""
    path = tmp_path / "mine"
    write_folder(path)
    return path


@pytest.fixture
def hub(tmp_path, folder, monkeypatch):
    """The hub's cache with org/mine in it, and no network."""
    home = tmp_path / "hub"
    write_cache(home, folder)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home))
    return home


def check(model, folder):
    """That `model` is the one of `folder`: its names, preprocessing and weights."""
    assert model.classes == ("cat, house cat", "n2", "fish")
    assert model.geometry == Geometry((64, 64), mode="crop", resize_size=(128, 128), interpolation="bilinear")
    assert (model.mean, model.std) == ((0.1, 0.2, 0.3), (0.5, 0.5, 0.5))
    module = timm.create_model("test_resnet", num_classes=3, checkpoint_path=str(folder / "model.safetensors"))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = module.eval()(model.inputs(pixels))
    np.testing.assert_allclose(model.predict(pixels), expected.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scheme", ["local-dir:", "timm:local-dir:"])
def test_a_folder(folder, scheme) -> None:
    model = load_model(f"{scheme}{folder}")
    assert model.name == "mine"
    check(model, folder)


@pytest.mark.parametrize("spec", ["hf-hub:org/mine", "timm:hf-hub:org/mine", f"hf-hub:org/mine@{COMMIT}"])
def test_the_hubs_cache(hub, folder, spec) -> None:
    model = load_model(spec)
    assert model.name == "mine"
    check(model, folder)


def test_another_number_of_classes_and_own_weights(folder, tmp_path) -> None:
    model = load_model(f"local-dir:{folder}", num_classes=5, weights="random")
    assert model.classes == tuple(f"class {number}" for number in range(5))
    classifier = load_model(f"local-dir:{folder}", weights=folder / "model.safetensors", classes=["a", "b", "c"])
    assert classifier.classes == ("a", "b", "c")


def test_a_thousand_classes_without_names_are_not_taken_for_imagenets(folder) -> None:
    config = json.loads((folder / "config.json").read_text())
    del config["label_names"]
    (folder / "config.json").write_text(json.dumps(config))
    model = load_model(f"local-dir:{folder}", num_classes=1000, weights="random")
    assert model.classes[1] == "class 1"


def test_what_the_hub_does_not_have_is_said_at_once(hub) -> None:
    for given in ({}, {"weights": "random"}):
        with pytest.raises(WeightsError, match=r"hf-hub:org/other cannot be had .*HF_HUB_OFFLINE.*local-dir:FOLDER"):
            load_model("hf-hub:org/other", **given)


def test_folders_that_do_not_serve(folder, tmp_path) -> None:
    with pytest.raises(ModelError, match=r"folder with the config\.json of a timm model at .*nowhere"):
        load_model(f"local-dir:{tmp_path / 'nowhere'}")
    with pytest.raises(UsageError, match="does not take these options"):
        load_model(f"local-dir:{folder}", model_options={"widht": 3})
    (folder / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"weights of local-dir:.* cannot be reached .*--weights FILE"):
        load_model(f"local-dir:{folder}")
    (folder / "config.json").write_text('{"architecture": "test_resnett"}')
    with pytest.raises(UnknownNameError, match="did you mean test_resnet"):
        load_model(f"local-dir:{folder}")
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json of a timm model"):
        load_model(f"local-dir:{folder}")
