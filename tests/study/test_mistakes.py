"""Mistakes show before any network computes anything, whichever of two models they are of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from lumiscope import run as run_study
from lumiscope.errors import LumiscopeError
from lumiscope.study import ModelConfig, Study
from studies import changed


@pytest.fixture
def passes() -> Iterator[list[str]]:
    """Fills with one entry for each forward pass of a whole network."""
    counted: list[str] = []

    def count(module: torch.nn.Module, _: object) -> None:
        if isinstance(module, torch.nn.Sequential):
            counted.append(type(module).__name__)

    handle = register_module_forward_pre_hook(count)
    yield counted
    handle.remove()


def model(name: str, **facts: object) -> ModelConfig:
    common = {"spec": "python:tiny:make", "classes": "classes.txt", "input_size": 32, "geometry": "squash"}
    return ModelConfig(**{**common, "name": name, **facts})


@pytest.fixture
def two(study: Study) -> Study:
    return changed(study, models=[model("first"), model("second")])


def refused(study: Study, said: str) -> None:
    with pytest.raises(LumiscopeError, match=said):
        run_study(study)
    assert not Path(study.run.runs).exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"methods": ["gradcm"]}, "gradcam"),
        ({"masks": {"gradcam": "foo"}}, "unknown mask rule 'foo'"),
        ({"masks": {"gradcm": "max:0.5"}}, "gradcam"),
        ({"masks": {"gradcam": "lime"}}, "fits the maps of gradcam"),
        ({"options": {"lime": {"samples": 3}}}, "num_samples"),
        ({"options": {"lime": {"segmenter": "slik"}}}, "slic"),
        ({"options": {"lime": {"segmenter": "mask:absent.png"}}}, "absent.png"),
        ({"backend": "openvno"}, "openvino"),
        ({"scorer": "table:absent.npz"}, "absent.npz"),
        ({"scorer": "tabel:scores.npz"}, "table"),
        ({"concepts": "absent.txt"}, "absent.txt"),
        ({"similarity": "cosine"}, "did you mean cos"),
    ],
    ids=str,
)
def test_what_needs_no_model_is_looked_up_before_any_is_loaded(two, change, said, passes) -> None:
    refused(changed(two, **change), said)
    assert passes == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"weights": "absent.pth"}, "absent.pth"),
        ({"classes": "absent.txt"}, "absent.txt"),
        ({"spec": "timn:resnet18"}, "timm"),
        ({"device": "cudda"}, "cudda"),
    ],
    ids=str,
)
def test_what_the_second_model_is_made_of_is_looked_up_before_the_first_is_loaded(two, facts, said, passes) -> None:
    refused(changed(two, models=[model("first"), model("second", **facts)]), said)
    assert passes == []


@pytest.mark.parametrize(
    ("change", "facts", "said"),
    [
        ({}, {"target_layer": "nope"}, "unknown layer 'nope'"),
        ({"layers": ["nope"]}, {}, "unknown layer 'nope'"),
        ({"target": "zebra"}, {}, "zebra"),
    ],
    ids=str,
)
def test_names_of_models_are_looked_up_after_the_passes_that_loading_takes(two, change, facts, said, passes) -> None:
    """Of each model one on two pictures of noise and one on the second alone, and the same with a quiet first one."""
    refused(changed(two, **change, models=[model("first"), model("second", **facts)]), said)
    assert len(passes) == 8


def test_layers_of_all_models_are_found_before_a_backend_is_tried(two, passes) -> None:
    refused(changed(two, models=[model("first"), model("second", target_layer="4")]), "4")
    assert len(passes) < 14
