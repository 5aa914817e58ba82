"""Which parts of a spec are paths: what a study file makes relative to itself, and nothing else."""

from __future__ import annotations

import pytest

from lumiscope.models import SOURCES
from lumiscope.scorers import SCORERS
from lumiscope.specs import change_paths


@pytest.mark.parametrize(
    ("spec", "changed"),
    [
        ("onnx:net.onnx", "onnx:<net.onnx>"),
        ("local-dir:a/b", "local-dir:<a/b>"),
        ("timm:local-dir:a/b", "timm:local-dir:<a/b>"),
        ("timm:resnet18", "timm:resnet18"),
        ("timm:hf-hub:org/name", "timm:hf-hub:org/name"),
        ("hf-hub:org/name", "hf-hub:org/name"),
        ("torchvision:resnet18@DEFAULT", "torchvision:resnet18@DEFAULT"),
        ("python:package.module:make", "python:package.module:make"),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/a"),
        ("world:objects", "world:objects"),
        ("nobody:knows/this", "nobody:knows/this"),
        ("onnx", "onnx"),
        ("onnx:", "onnx:"),
    ],
)
def test_paths_in_specs_of_models(spec: str, changed: str) -> None:
    assert change_paths(spec, SOURCES, lambda path: f"<{path}>") == changed


@pytest.mark.parametrize(
    ("spec", "changed"),
    [
        ("table:scores.npz", "table:<scores.npz>"),
        ("masks:broden", "masks:<broden>"),
        ("masks:world", "masks:world"),
        ("masks", "masks"),
        ("world:clip", "world:clip"),
        ("classes:org/model", "classes:org/model"),
        ("classes:org/model@caption", "classes:org/model@caption"),
        ("classes:./model@caption", "classes:<./model@caption>"),
        ("classes:~/model", "classes:<~/model>"),
        ("open_clip:ViT-B-16/openai", "open_clip:ViT-B-16/openai"),
        ("open_clip:ViT-B-16/w.safetensors", "open_clip:ViT-B-16/<w.safetensors>"),
        ("open_clip:ViT-B-16//data/w.pt", "open_clip:ViT-B-16/</data/w.pt>"),
        ("open_clip:local-dir:a/b", "open_clip:local-dir:<a/b>"),
    ],
)
def test_paths_in_specs_of_scorers(spec: str, changed: str) -> None:
    assert change_paths(spec, SCORERS, lambda path: f"<{path}>") == changed
