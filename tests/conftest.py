"""Shared by tests of several rooms: tiny networks, and a tiny study of seven pictures and a table of concept scores."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image

from lumiscope.images import Geometry, ImageSet, open_images
from lumiscope.models import TorchModel
from lumiscope.study import ModelConfig, Study

# A machine with other work to do is no failure of what is tested.
settings.register_profile("lumiscope", deadline=None)
settings.load_profile("lumiscope")

FACTORY = """
import torch

def make(width=6, num_classes=4):
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, width, 3, stride=2, padding=1), torch.nn.ReLU(),
        torch.nn.Conv2d(width, 8, 3, stride=2, padding=1), torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, num_classes),
    )
"""
COUNT = 7
CONCEPTS = ["red", "green", "blue", "dog", "cat", "wheel"]
CLASSES = ["cat", "dog, hound", "fish", "wheel"]


def _loaded(name: str, path: str) -> ModuleType:
    """A file loaded by its path from here: under pytest's importlib mode tests are no package."""
    spec = importlib.util.spec_from_file_location(name, (Path(__file__).parent / path).resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def load_module() -> Callable[[str, str], ModuleType]:
    """(name, path from here) -> module."""
    return _loaded


@pytest.fixture(scope="session")
def networks() -> ModuleType:
    """models/networks.py."""
    return _loaded("tiny_networks", "models/networks.py")


@pytest.fixture(scope="session")
def unit_labels() -> ModuleType:
    """unit_labels.py, which makes labels of layers."""
    return _loaded("unit_labels", "unit_labels.py")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with tiny.py, pictures/ (with labels.csv and one mask), classes.txt and scores.npz; current folder."""
    generator = np.random.default_rng(0)
    (tmp_path / "tiny.py").write_text(FACTORY)
    (tmp_path / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(COUNT):
        pixels = np.kron(generator.integers(0, 256, (5, 6, 3)), np.ones((10, 10, 1))).astype(np.uint8)
        Image.fromarray(pixels).save(pictures / f"p{number}.png")
    mask = np.zeros((50, 60), np.uint8)
    mask[10:40, 10:30] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    rows = [f"pictures/p{number}.png,{number % 4},{'mask.png' if number == 0 else ''}" for number in range(COUNT)]
    (tmp_path / "labels.csv").write_text("image,class_index,mask\n" + "\n".join(rows) + "\n")
    names = [f"p{number}.png" for number in range(COUNT)]
    scores = generator.random((COUNT, len(CONCEPTS)))
    np.savez(tmp_path / "scores.npz", scores=scores, images=np.array(names), concepts=np.array(CONCEPTS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def study(workplace: Path) -> Study:
    """Everything at once, small."""
    return Study(
        images="labels.csv",
        models=[ModelConfig(spec="python:tiny:make", classes="classes.txt", input_size=32, geometry="squash")],
        probe="pictures",
        scorer="table:scores.npz",
        layers=["0", "3"],
        similarity="cos",
        options={"lime": {"num_samples": 40}},
        name="test",
    )


@pytest.fixture
def pictures(workplace: Path) -> ImageSet:
    return open_images("labels.csv")


@pytest.fixture
def tiny() -> TorchModel:
    """A fixed network with ReLU features, global average pooling and a linear head."""
    generator = torch.Generator().manual_seed(3)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, 3, stride=2, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(6, 4),
    )
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    geometry = Geometry((32, 32), mode="squash")
    return TorchModel(
        module.eval(), geometry, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), classes=tuple(CLASSES), name="tiny"
    )
