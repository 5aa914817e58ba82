"""From a spec, and what the user adds to it, to a model that runs; and what is said when it cannot be had."""

from __future__ import annotations

import sys
import urllib.error

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lumiscope.errors import ModelError, UnknownNameError, UsageError, WeightsError
from lumiscope.images import Geometry
from lumiscope.models import load_model, parse_model_options
from lumiscope.models.load import default_name

SMALL = "timm:test_resnet"
FACTORY = """
import torch

def small(num_classes=3, width=4):
    return torch.nn.Sequential(torch.nn.Conv2d(3, width, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
                               torch.nn.Flatten(), torch.nn.Linear(width, num_classes))

def late():
    import {name}_helper
    return {name}_helper.build()

def no_module():
    return 3

def maps():
    return torch.nn.Conv2d(3, 4, 3)

def fails():
    raise ValueError("no luck")
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with Python modules of its own, as the current one; the name of the module in it."""
    name = f"nets_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(FACTORY.format(name=name))
    (tmp_path / f"{name}_helper.py").write_text(f"import {name}\n\ndef build():\n    return {name}.small(5)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return name


def same_weights(first, second):
    ours, theirs = first.module.state_dict(), second.module.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.mark.parametrize("spec", [SMALL, "torchvision:squeezenet1_1"])
def test_random_weights_are_always_the_same_and_move_no_generator(spec):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = load_model(spec, weights="random", num_classes=7, input_size=64)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    second = load_model(spec, weights="random", num_classes=7, input_size=64)
    assert same_weights(first, second)
    assert first.fingerprint == second.fingerprint
    assert len(first.classes) == 7
    assert any("random weights" in note for note in first.notes)
    assert not first.module.training


def test_a_timm_models_own_preprocessing():
    model = load_model("timm:resnet18", weights="random", num_classes=2)
    # resnet18.a1_in1k: crop_pct 0.95, bicubic, ImageNet mean and std
    assert model.geometry == Geometry((224, 224), mode="crop", resize_size=(235, 235), interpolation="bicubic")
    assert (model.mean, model.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert model.name == "resnet18"


def test_a_torchvision_models_own_preprocessing_and_classes():
    model = load_model("torchvision:squeezenet1_1@IMAGENET1K_V1", weights="random")
    assert model.geometry == Geometry((224, 224), mode="crop", resize_size=(256, 256), interpolation="bilinear")
    assert len(model.classes) == 1000
    assert model.classes[1] == "goldfish"


def test_overriding_the_preprocessing(here):
    spec = f"python:{here}:small"
    model = load_model(spec, weights="random", mean=0.5, std=[0.1, 0.2, 0.3], input_size=[32, 48])
    assert (model.mean, model.std) == ((0.5,) * 3, (0.1, 0.2, 0.3))
    assert model.geometry.input_size == (32, 48)
    pixels = np.full((1, 32, 48, 3), 255, np.uint8)
    np.testing.assert_allclose(model.inputs(pixels)[0, :, 0, 0], [5, 2.5, 0.5 / 0.3], rtol=1e-6)
    squashed = load_model(spec, weights="random", geometry="squash", input_size=40)
    assert squashed.geometry == Geometry((40, 40), mode="squash", interpolation="bilinear")
    lanczos = load_model(spec, weights="random", geometry="squash", input_size=40, interpolation="lanczos")
    assert lanczos.geometry.interpolation == "lanczos"
    cropped = load_model(spec, weights="random", input_size=112)
    assert cropped.geometry.resize_size == (128, 128)  # 256 / 224 of the input, as the default


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"std": 0}, "std above 0"),
        ({"mean": [1, 2]}, "one or three numbers for mean"),
        ({"input_size": 0}, "input size"),
        ({"input_size": True}, "input size"),
        ({"input_size": [1, 2, 3]}, "input size"),
        ({"geometry": "crops"}, "unknown geometry 'crops': did you mean crop"),
        ({"interpolation": "bicubik"}, "did you mean bicubic"),
        ({"model_options": {"widht": 3}}, "does not take these options"),
    ],
)
def test_impossible_options(here, given, message):
    with pytest.raises(UsageError, match=message):
        load_model(f"python:{here}:small", weights="random", **given)


def test_unknown_names_give_the_nearest():
    for spec, message in {
        "timn:resnet18": "unknown model source 'timn': did you mean timm",
        "timm:resnet19": "unknown timm model 'resnet19': did you mean resnet1",
        "torchvision:resnet19": "unknown torchvision model 'resnet19': did you mean resnet1",
        "torchvision:resnet18@IMAGENET1K_V9": "weights of torchvision:resnet18 .*did you mean IMAGENET1K_V1",
    }.items():
        with pytest.raises(UnknownNameError, match=message):
            load_model(spec, weights="random")
    for spec in ("resnet18", "timm:", ""):
        with pytest.raises(UsageError, match="expected a model spec like"):
            load_model(spec)


def test_timm_weights_that_cannot_be_reached(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        WeightsError, match=r"timm:resnet18\.a1_in1k cannot be reached .*--weights FILE.*HF_HUB_OFFLINE"
    ):
        load_model("timm:resnet18.a1_in1k")


def test_torchvision_weights_that_cannot_be_reached(monkeypatch, tmp_path):
    def unreachable(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    with pytest.raises(WeightsError, match=r"no route to host.*--weights FILE.*TORCH_HOME"):
        load_model("torchvision:squeezenet1_1")


@pytest.mark.parametrize("suffix", ["pth.tar", "safetensors"])
def test_own_weights_and_classes(here, tmp_path, suffix):
    original = load_model(f"python:{here}:small", weights="random", num_classes=4, input_size=32)
    with torch.no_grad():
        original.module[0].weight.mul_(2)
    state = {f"module.{key}": value for key, value in original.module.state_dict().items()}
    path = tmp_path / f"own.{suffix}"
    if suffix == "safetensors":
        save_file(state, path)
    else:
        torch.save({"state_dict": state, "best_prec1": np.float64(3)}, path, _use_new_zipfile_serialization=False)
    (tmp_path / "classes.txt").write_text("cat\ndog, hound\r\n ape \nBär\n\n", encoding="utf-8")
    model = load_model(f"python:{here}:small", weights=path, classes="classes.txt", input_size=32)
    assert model.classes == ("cat", "dog, hound", "ape", "Bär")
    assert same_weights(model, original)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(model.predict(pixels), original.predict(pixels))
    unnamed = load_model(f"python:{here}:small", weights=path, num_classes=4, input_size=32)
    assert unnamed.classes == ("class 0", "class 1", "class 2", "class 3")
    with pytest.raises(WeightsError, match=r"4\.weight \(file \(4, 4\), model \(3, 4\)\).*--num-classes 4"):
        load_model(f"python:{here}:small", weights=path, input_size=32)
    partial = load_model(f"python:{here}:small", weights=path, input_size=32, weights_partial=True)
    assert any("2 of another shape" in note for note in partial.notes)
    assert torch.equal(partial.module[0].weight, original.module[0].weight)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("a\nb\n", ModelError, "expected 3 class names .*; got 2"),
        ("a\n\nb\n", UsageError, "blank line at 2"),
        ("\na\nb\n", UsageError, "blank line at 1"),
        ("", UsageError, "is empty"),
        ("\n \n", UsageError, "is empty"),
        (None, UsageError, "one class name a line at"),
    ],
)
def test_class_files_that_do_not_serve(here, tmp_path, content, error, message):
    if content is not None:
        (tmp_path / "c.txt").write_text(content)
    with pytest.raises(error, match=message):
        load_model(f"python:{here}:small", weights="random", classes=tmp_path / "c.txt", input_size=32)


def test_own_python_modules(here):
    before = list(sys.path)
    model = load_model(f"python:{here}:small", weights="random", model_options={"width": 6}, input_size=32)
    assert sys.path == before
    assert model.module[0].out_channels == 6
    assert len(model.classes) == 3
    assert model.notes[0] == "nothing states this model's preprocessing; assumed: ImageNet mean, ImageNet std"
    assert len(load_model(f"python:{here}:late", input_size=32).classes) == 5
    assert sys.path == before


@pytest.mark.parametrize(
    ("factory", "error", "message"),
    [
        ("smal", UnknownNameError, "did you mean small"),
        ("no_module", ModelError, "return a torch.nn.Module, a TorchModel or a callable on pictures; got int"),
        ("maps", ModelError, r"\(batch, classes\) logits"),
        ("fails", ModelError, "no luck"),
    ],
)
def test_factories_that_do_not_serve(here, factory, error, message):
    before = list(sys.path)
    with pytest.raises(error, match=message):
        load_model(f"python:{here}:{factory}", input_size=32)
    assert sys.path == before


def test_python_modules_that_cannot_be_imported(here, tmp_path):
    before = list(sys.path)
    (tmp_path / "broken_net.py").write_text("import no_such_thing_anywhere\n")
    (tmp_path / "raising_net.py").write_text("1 / 0\n")
    for spec, error, message in [
        ("python:no_such_module_here:f", UsageError, "there is no Python module 'no_such_module_here'"),
        ("python:broken_net:f", ModelError, "broken_net cannot be imported: No module named 'no_such_thing_anywhere'"),
        ("python:raising_net:f", ModelError, "raising_net cannot be imported: ZeroDivisionError"),
        (f"python:{here}", UsageError, "expected python:package.module:factory"),
    ]:
        with pytest.raises(error, match=message):
            load_model(spec)
    assert sys.path == before


def test_the_fingerprint_depends_on_all_that_an_output_depends_on(here):
    def fingerprint(**given):
        given = {"weights": "random", "input_size": 32, **given}
        return load_model(f"python:{here}:small", **given).fingerprint

    variants = [{}, {"mean": 0.4}, {"std": 0.4}, {"input_size": 40}, {"geometry": "squash"}, {"num_classes": 5}]
    assert len({fingerprint(**variant) for variant in variants}) == len(variants)
    assert fingerprint() == fingerprint()
    model = load_model(f"python:{here}:small", weights="random", input_size=32)
    with torch.no_grad():
        model.module[4].bias[0] += 1
    assert model.fingerprint != fingerprint()


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("timm:resnet50.a1_in1k", "resnet50"),
        ("torchvision:resnet50@IMAGENET1K_V2", "resnet50"),
        ("python:pkg.mod:factory", "factory"),
    ],
)
def test_short_names(spec, name):
    assert default_name(spec) == name


def test_parsing_model_options():
    pairs = [
        "pad_type=same",
        "drop_rate=0.1",
        "depth=2",
        "flag=true",
        "Flag=False",
        "none=None",
        "size=[1, 2]",
        "e=a=b",
    ]
    assert parse_model_options(pairs) == {
        "pad_type": "same",
        "drop_rate": 0.1,
        "depth": 2,
        "flag": True,
        "Flag": False,
        "none": None,
        "size": [1, 2],
        "e": "a=b",
    }
    for wrong in ("flag", "=3", "a b=3"):
        with pytest.raises(UsageError, match="key=value"):
            parse_model_options([wrong])
