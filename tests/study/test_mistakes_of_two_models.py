"""Mistakes that only a file or the second of two different models shows are told before any model looks at pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import lumiscope
from lumiscope.errors import LumiscopeError, UnknownNameError
from lumiscope.images import ImageSet
from lumiscope.models import TorchModel
from lumiscope.study import ModelConfig, Study, configured_model
from studies import changed

OTHER = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.act = torch.nn.Conv2d(3, 5, 3, stride=2), torch.nn.ReLU()
        self.head = torch.nn.Linear(5, 3)

    def forward(self, x):
        return self.head(self.act(self.stem(x)).mean((2, 3)))

def make():
    return Net()
"""
OTHER_CLASSES = "cat\nsun\nmoon\n"


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models whose networks ran since they were loaded, once for each pass."""
    ran: list[str] = []
    load = configured_model.load_configured

    def watched(config: ModelConfig, name: str) -> TorchModel:
        model = load(config, name)
        assert isinstance(model, TorchModel)
        model.module.register_forward_pre_hook(lambda *_: ran.append(name))
        return model

    monkeypatch.setattr(configured_model, "load_configured", watched)
    return ran


@pytest.fixture
def two(study: Study, workplace: Path) -> Study:
    """The small study with a second model, which has other layers and other classes."""
    (workplace / "other.py").write_text(OTHER)
    (workplace / "other.txt").write_text(OTHER_CLASSES)
    second = ModelConfig(spec="python:other:make", classes="other.txt", input_size=32, geometry="squash")
    return changed(study, models=[*study.models, second], layers=["auto"], options={})


def second_with(study: Study, **fields: Any) -> dict[str, Any]:
    """A change of the second model alone."""
    first, second = study.models
    return {"models": [first, replace(second, **fields)]}


def test_without_a_mistake_both_models_run(two: Study, passes: list[str]) -> None:
    lumiscope.run(changed(two, methods=["gradcam"]))
    assert set(passes) == {"make", "other-make"} == set(two.model_names)


MISTAKES: dict[str, tuple[Callable[[Study], dict[str, Any]] | dict[str, Any], str]] = {
    "the value of an option": ({"options": {"lime": {"num_samples": 1}}}, "num_samples"),
    "an option of a method that does not run": (
        {"methods": ["gradcam"], "options": {"rise": {"num_mask": 3}}},
        "did you mean num_masks",
    ),
    "the number of a mask rule": ({"masks": {"gradcam": "top:200%"}}, "top"),
    "a target layer of the second model": (lambda two: second_with(two, target_layer="3"), "unknown layer '3'"),
    "a wildcard of the second model": (lambda two: second_with(two, target_layer="x*"), "unknown layer 'x\\*'"),
    "a dissected layer of the second model": ({"layers": ["0"]}, "unknown layer '0': known: stem, act, head"),
    "a class of the second model": ({"target": "fish"}, "no class 'fish'"),
    "a class index of the second model": ({"target": 3}, "from 0 to 2"),
    "the images of a scorer": ({"scorer": "table:fewer.npz"}, "p6.png"),
    "a concept that is not in the table": ({"concepts": "strange.txt"}, "zebra"),
    "a folder of annotations": ({"annotations": "absent"}, "absent"),
    "annotations of other pictures": ({"annotations": "elsewhere"}, "elsewhere has no label map"),
    "a function that cuts": ({"options": {"lime": {"segmenter": "python:tiny:cut"}}}, "unknown function in tiny 'cut'"),
    "an option of a function that cuts": (
        {"options": {"lime": {"segmenter": "python:striper:rows", "segmenter_options": {"hight": 3}}}},
        "options that striper:rows.*hight",
    ),
    "the size of a file of segments": (
        {"methods": ["gradcam", "lime"], "options": {"lime": {"segmenter": "mask:odd.png"}}},
        "odd.png to have the size of the view, 32×32, or of the image, .*; got 5×7",
    ),
    "a file of LIME's parameters": ({"lime_params": "absent.json"}, "absent.json"),
    "an option in such a file": ({"lime_params": "wrong.json"}, "did you mean num_samples"),
    "a file in such a file": ({"lime_params": "mask.json"}, "absent.png"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_before_any_model_runs(what: str, two: Study, passes: list[str], workplace: Path) -> None:
    table = dict(np.load("scores.npz"))
    np.savez("fewer.npz", **{**table, "scores": table["scores"][:6], "images": table["images"][:6]})
    Path("striper.py").write_text("def rows(pixels, height=2):\n    return pixels[:, :, 0] // height\n")
    Image.fromarray(np.zeros((5, 7), np.uint8)).save("odd.png")
    Path("strange.txt").write_text("red\nzebra\n")
    Path("wrong.json").write_text(json.dumps({"p0": {"num_sample": 9}}))
    Path("mask.json").write_text(json.dumps({"p6": {"segmenter": "mask:absent.png"}}))
    (workplace / "elsewhere" / "labels" / "object").mkdir(parents=True)
    (workplace / "elsewhere" / "concepts.csv").write_text("kind,number,word\nobject,1,cat\n")
    shutil.copy("mask.png", workplace / "elsewhere" / "labels" / "object" / "stranger.png")
    change, said = MISTAKES[what]
    study = changed(two, **(change(two) if callable(change) else change))
    with pytest.raises(LumiscopeError, match=said):
        lumiscope.run(study)
    assert passes == []
    assert not study.folder.exists()
    assert not Path(study.run.runs).exists()


def test_options_of_an_image_that_is_not_there(tiny: TorchModel, pictures: ImageSet) -> None:
    passes: list[int] = []
    tiny.module.register_forward_pre_hook(lambda *_: passes.append(1))
    with pytest.raises(UnknownNameError, match="unknown image 'p9': did you mean p6"):
        lumiscope.explain(tiny, pictures, methods="lime", per_image={"p9": {"lime": {}}})
    assert passes == []
