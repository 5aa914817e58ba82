"""Shared by the tests of this folder; under pytest's importlib mode tests are no package, hence the loading by path."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from attribution import references
from lumiscope.attribution import METHODS, PreparedBatch
from lumiscope.images import Geometry
from lumiscope.models import TorchModel

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
FEW = {
    "lime": {"num_samples": 20},
    "kernelshap": {"num_samples": 20},
    "rise": {"num_masks": 20},
    "occlusion": {"window": 16},
    "smoothgrad": {"num_samples": 4},
    "integrated_gradients": {"steps": 4},
}


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """On tiny networks threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def reference():
    """`REFERENCES`: the slow re-implementations; see references/__init__.py."""
    return references


@pytest.fixture(autouse=True)
def no_bars(monkeypatch):
    """The peers draw progress bars whatever one asks for."""
    import lime.lime_image
    import pytorch_grad_cam.ablation_cam
    import pytorch_grad_cam.score_cam

    for module in (pytorch_grad_cam.ablation_cam, pytorch_grad_cam.score_cam):
        monkeypatch.setattr(module.tqdm, "tqdm", lambda items, *_, **__: items)
    monkeypatch.setattr(lime.lime_image, "tqdm", lambda items, *_, **__: items)


def picture(seed, size=(48, 48)):
    """(h, w, 3) uint8: blobs of colour with a little noise, so that there is something to segment."""
    generator = np.random.default_rng(seed)
    coarse = torch.from_numpy(generator.uniform(0, 255, (1, 3, size[0] // 8, size[1] // 8)))
    smooth = torch.nn.functional.interpolate(coarse, size=size, mode="bicubic", align_corners=False)[0]
    noisy = smooth.permute(1, 2, 0).numpy() + generator.normal(0, 4, (*size, 3))
    return noisy.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def pictures():
    return picture


@pytest.fixture(scope="session")
def torch_model():
    """Wrap a module as a model that takes pictures of `size`."""

    def wrap(module, size=(48, 48), **options):
        return TorchModel(module.eval(), Geometry(size, mode="squash"), mean=MEAN, std=STD, **options)

    return wrap


@pytest.fixture(scope="session")
def model_of(torch_model):
    """The model of a kind of network of kinds.py, made once."""
    build = load("kinds_of_models", Path(__file__).with_name("kinds.py")).build
    return functools.cache(lambda kind: build(kind, torch_model))


@pytest.fixture(scope="session")
def cheap_options():
    """Options of a method under which it runs the network a few times only."""
    return lambda method: METHODS[method].options(FEW.get(method))


@pytest.fixture(scope="session")
def prepare():
    """A batch of `count` pictures for a model, prepared at a layer."""

    def make(model, layer=None, count=3, first=0, seed=0):
        size = model.geometry.input_size
        views = [
            model.geometry.view(picture(number, size), f"image {number}") for number in range(first, first + count)
        ]
        return PreparedBatch(model, views, layer=layer, seed=seed)

    return make


class Box:
    """A model of which only `predict` is known."""

    name, spec, fingerprint = "box", "callable", "0"

    def __init__(self, model):
        self.classes, self.geometry, self.activation = model.classes, model.geometry, model.activation
        self.view, self.predict = model.view, model.predict


@pytest.fixture(scope="session")
def black_box():
    """Hide everything of a model but its predictions."""
    return Box
