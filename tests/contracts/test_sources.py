"""Every model source keeps the contract of `lumiscope.testing`, and is documented."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lumiscope.models import SOURCES
from lumiscope.testing import SOURCE_CHECKS, source_case
from lumiscope.testing.sources import SourceCase
from models import onnx_graphs
from models.local_server import Server
from models.timm_folder import write_cache, write_folder

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
FACTORY = """
import torch

def make(num_classes=3):
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
                               torch.nn.Linear(4, num_classes))
"""


@contextmanager
def simple(spec: str, weights: str | None = None) -> Iterator[SourceCase]:
    yield source_case(spec, weights=weights)


@contextmanager
def python(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SourceCase]:
    (folder / "contract_factory.py").write_text(FACTORY)
    monkeypatch.chdir(folder)
    yield source_case("python:contract_factory:make")


@contextmanager
def folder_of_timm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SourceCase]:
    write_folder(folder / "mine")
    yield source_case(f"local-dir:{folder}/mine")


@contextmanager
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SourceCase]:
    write_folder(folder / "mine")
    write_cache(folder / "hub", folder / "mine")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder / "hub"))
    yield source_case("hf-hub:org/mine")


@contextmanager
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SourceCase]:
    running = Server()
    try:
        yield source_case(running.address)
    finally:
        running.server.shutdown()
        running.server.server_close()


Case = Callable[[Path, pytest.MonkeyPatch], "contextmanager[SourceCase]"]
CASES: dict[str, Case] = {
    "hf-hub": hub,
    "http": server,
    "local-dir": folder_of_timm,
    "onnx": lambda folder, _: simple(onnx_graphs.write(folder / "a.onnx", ["n", 3, 20, 24])),
    "python": python,
    "timm": lambda *_: simple("timm:test_resnet", "random"),
    "torchvision": lambda *_: simple("torchvision:squeezenet1_1", "random"),
    "world": lambda *_: simple("world:objects"),
}
SAME = {"https": "http"}  # one function makes both; a server with a certificate is not worth it


@pytest.fixture
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SourceCase]:
    with CASES[request.param](tmp_path, monkeypatch) as source:
        yield source


def test_every_source_is_checked() -> None:
    assert {*CASES, *SAME} == set(SOURCES)
    for name, checked in SAME.items():
        assert SOURCES[name].build.func is SOURCES[checked].build.func


@pytest.mark.parametrize("check", SOURCE_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("case", list(CASES), indirect=True)
def test_source(case: SourceCase, check: Callable[[SourceCase], None]) -> None:
    check(case)


@pytest.mark.parametrize("name", list(SOURCES))
def test_source_is_documented(name: str) -> None:
    assert f"`{name}:" in PAGE
