"""`onnx:FILE`: the graph's own layout, type, size and batch; scores equal to those of a plain formula."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest
import torch

from lumiscope.errors import ModelError, UnknownNameError, UsageError
from lumiscope.models import BlackBox, load_model
from models.onnx_graphs import WEIGHTS, write

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def pixels(height, width, count=3):
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def expected(pictures, mean=MEAN, std=STD):
    return ((pictures / 255 - mean) / std).mean((1, 2)) @ WEIGHTS.T


def test_layout_size_and_normalisation_are_those_of_the_graph(tmp_path) -> None:
    pictures = pixels(20, 24)
    model = load_model(write(tmp_path / "a.onnx", ["n", 3, 20, 24]))
    assert isinstance(model, BlackBox)
    assert (model.name, model.geometry.input_size, model.classes) == ("a", (20, 24), ("class 0", "class 1"))
    assert model.notes[0] == "nothing states this model's preprocessing; assumed: ImageNet mean, ImageNet std"
    assert model.activation == "softmax"
    np.testing.assert_allclose(model.predict(pictures), expected(pictures), rtol=1e-4)
    last = load_model(write(tmp_path / "b.onnx", ["n", 20, 24, 3], spatial=(1, 2)), mean=0.5, std=[0.1, 0.2, 0.3])
    np.testing.assert_allclose(last.predict(pictures), expected(pictures, 0.5, np.array([0.1, 0.2, 0.3])), rtol=1e-4)
    assert (last.mean, last.std) == ((0.5,) * 3, (0.1, 0.2, 0.3))
    with pytest.raises(UsageError, match=r"takes pictures of \(20, 24\) .* alone; got \(32, 32\)"):
        load_model(f"onnx:{tmp_path / 'a.onnx'}", input_size=32)


def test_sides_that_may_be_any(tmp_path) -> None:
    spec = write(tmp_path / "any.onnx", ["n", 3, "h", "w"])
    model = load_model(spec)
    assert model.geometry.input_size == (224, 224)
    assert "assumed: input size 224×224, ImageNet mean" in model.notes[0]
    small = load_model(spec, input_size=[16, 24], mean=0, std=1)
    assert small.notes == (
        "its scores are taken for logits (softmax); if they are probabilities, say --activation none",
    )
    pictures = pixels(16, 24)
    np.testing.assert_allclose(small.predict(pictures), expected(pictures, 0, 1), rtol=1e-4)


@pytest.mark.parametrize("batch", [1, 4])
def test_a_fixed_batch_is_filled_up(tmp_path, batch) -> None:
    pictures = pixels(20, 24, count=6)
    model = load_model(write(tmp_path / "fixed.onnx", [batch, 3, 20, 24]))
    assert model.batch_size == batch
    np.testing.assert_allclose(model.predict(pictures), expected(pictures), rtol=1e-4)


def test_types_and_colour_order(tmp_path) -> None:
    pictures = pixels(20, 24)
    raw = write(tmp_path / "u.onnx", ["n", 20, 24, 3], kind="uint8", spatial=(1, 2))
    model = load_model(raw)
    np.testing.assert_allclose(model.predict(pictures), pictures.mean((1, 2)) @ WEIGHTS.T, rtol=1e-5)
    assert (model.mean, model.std) == (None, None)
    assert not any("preprocessing" in note for note in model.notes)
    with pytest.raises(UsageError, match="8-bit pixels as they are"):
        load_model(raw, mean=0.5)
    half = load_model(write(tmp_path / "h.onnx", ["n", 3, 20, 24], kind="float16"))
    np.testing.assert_allclose(half.predict(pictures), expected(pictures), atol=5e-3)
    swapped = load_model(f"onnx:{tmp_path / 'h.onnx'}", model_options={"channels": "bgr"}, mean=0, std=1)
    np.testing.assert_allclose(swapped.predict(pictures), expected(pictures[..., ::-1], 0, 1), atol=5e-3)


def test_probabilities_and_named_outputs(tmp_path) -> None:
    spec = write(tmp_path / "p.onnx", ["n", 3, 20, 24], last="Softmax", outputs=2)
    model = load_model(spec, model_options={"output": "scores"})
    assert model.activation == "none"
    np.testing.assert_allclose(model.predict(pixels(20, 24)).sum(1), 1, rtol=1e-6)
    chosen = load_model(spec)  # of (means, scores) what is called scores
    np.testing.assert_array_equal(chosen.predict(pixels(20, 24)), model.predict(pixels(20, 24)))
    assert "it has several outputs (means, scores): scores is taken for the scores" in chosen.notes[1]
    assert len(load_model(spec, output="means").classes) == len(load_model(spec, classes=["r", "g", "b"]).classes) == 3
    with pytest.raises(UnknownNameError, match="did you mean scores"):
        load_model(spec, model_options={"output": "score"})
    sigmoid = load_model(write(tmp_path / "s.onnx", ["n", 3, 20, 24], last="Sigmoid"), activation="none")
    assert sigmoid.activation == "none"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_equals_the_torch_network_it_was_exported_from(tmp_path, networks) -> None:
    module = networks.seeded(networks.plain)
    torch.onnx.export(module, (torch.zeros(1, 3, 32, 40),), tmp_path / "t.onnx", dynamo=False, input_names=["x"],
                      dynamic_axes={"x": {0: "n"}})  # fmt: skip
    model = load_model(f"onnx:{tmp_path / 't.onnx'}", mean=0.5, std=0.25)
    pictures = pixels(32, 40)
    inputs = torch.from_numpy((pictures.transpose(0, 3, 1, 2) / 255 - 0.5) / 0.25).float()
    with torch.no_grad():
        np.testing.assert_allclose(model.predict(pictures), module(inputs).numpy(), rtol=1e-4, atol=1e-5)


def test_the_fingerprint_is_that_of_the_files_not_of_their_place(tmp_path) -> None:
    first = load_model(write(tmp_path / "a.onnx", ["n", 3, 20, 24])).fingerprint
    assert load_model(write(tmp_path / "b.onnx", ["n", 3, 20, 24])).fingerprint == first
    (tmp_path / "b.onnx.data").write_bytes(b"weights")
    assert load_model(f"onnx:{tmp_path / 'b.onnx'}").fingerprint != first
    assert load_model(f"onnx:{tmp_path / 'a.onnx'}", mean=0.5).fingerprint != first


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"weights": "random"}, UsageError, "brings its own weights"),
        ({"classes": ["a", "b", "c"]}, ModelError, "expected 3 scores a picture .* got 2"),
        ({"num_classes": 5}, ModelError, "expected 5 classes; .* has 2"),
        ({"model_options": {"layuot": "nchw"}}, UnknownNameError, "did you mean layout"),
        ({"model_options": {"layout": "chwn"}}, UsageError, "option layout"),
        ({"model_options": {"layout": "nhwc"}}, ModelError, "expected .* to take 3 channels, laid out as nhwc"),
        ({"device": "mps"}, UsageError, "mps"),
    ],
)
def test_what_it_cannot_be_told(tmp_path, given, error, message) -> None:
    with pytest.raises(error, match=message):
        load_model(write(tmp_path / "a.onnx", ["n", 3, 20, 24]), **given)


def test_files_that_do_not_serve(tmp_path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"not a graph")
    for spec, message in [
        (f"onnx:{tmp_path / 'none.onnx'}", "there is no ONNX file"),
        (f"onnx:{tmp_path / 'bad.onnx'}", "cannot be read as an ONNX model"),
        (write(tmp_path / "two.onnx", ["n", 2, 20, 24]), "to take 3 channels"),
        (write(tmp_path / "flat.onnx", ["n", 3, 20], spatial=(2,)), r"it takes picture \['n', 3, 20\] tensor\(float\)"),
    ]:
        with pytest.raises(ModelError, match=message):
            load_model(spec)


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "onnxruntime" else real(name))
    with pytest.raises(UsageError, match=r"needs the package onnxruntime.*lumiscope\[onnx\]"):
        load_model(f"onnx:{tmp_path / 'a.onnx'}")


@pytest.mark.parametrize(("height", "width"), [(1, 24), (20, 1)])
def test_a_side_of_one_pixel_is_a_size(tmp_path, height, width) -> None:
    model = load_model(write(tmp_path / "narrow.onnx", [1, 3, height, width]))
    assert tuple(model.geometry.input_size) == (height, width)
