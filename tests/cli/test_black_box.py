"""`lumiscope explain` and `run` with a model that is a server, an ONNX file or a function; the example server."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lumiscope.cli import main
from lumiscope.models import SOURCES, TorchModel, load_model, probabilities
from lumiscope.models.http_client import HttpOptions
from lumiscope.models.sources.onnx_source import OnnxOptions

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "black_box_server.py"


@pytest.fixture
def address(tiny: TorchModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The example server with `tiny` in it."""
    spec = importlib.util.spec_from_file_location("black_box_server", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    server = example.serve(tiny, 0)
    monkeypatch.setattr(server.RequestHandlerClass, "log_message", lambda *_: None)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["lumiscope", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_example_server_serves_its_model(address: str, tiny: TorchModel) -> None:
    model = load_model(address, geometry="squash", model_options={"batch_size": 2})
    assert model.classes == tiny.classes
    pixels = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_allclose(model.predict(pixels), probabilities(tiny.predict(pixels), "softmax"), rtol=1e-6)
    assert 20 <= len([line for line in EXAMPLE.read_text().splitlines() if line.strip()]) <= 45


def test_explaining_a_server(
    address: str, tiny: TorchModel, workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--images", "labels.csv", "--model", address, "--geometry", "squash", "--option", "lime.num_samples=20"]
    assert call(monkeypatch, "explain", *flags, "--methods", "lime,random", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 14
    assert {row["target"] for row in rows} <= set(tiny.classes)
    assert all(Path(row["overlay"]).is_file() for row in rows)
    assert call(monkeypatch, "explain", *flags, "--methods", "lime,gradcam") == 2
    said = capsys.readouterr().err.strip()
    assert "gradcam must look inside a model" in said
    assert said.count("\n") == 0


def test_running_a_study_of_a_server(
    address: str, workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--model", address, "--geometry", "squash", "--option", "lime.num_samples=20", "--name", "r"]
    assert call(monkeypatch, "run", "--images", "labels.csv", *flags) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == str(Path("runs/r/report.html"))
    assert "left out, as they look inside a model: gradcam, ablationcam, scorecam" in captured.err
    assert call(monkeypatch, "run", "--images", "labels.csv", *flags) == 0  # all from the store
    from lumiscope.runs import Run

    assert [timing.computed for timing in Run.open(Path("runs/r")).manifest.timings] == [0]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["layers", "python:light_box:light"], 2, "a list of layers must look inside a model"),
        (
            ["explain", "--images", "pictures", "--model", "http://127.0.0.1:9", "--model-option", "retries=0"],
            1,
            "server",
        ),
        (["explain", "--images", "pictures", "--model", "onnx:none.onnx"], 1, "there is no ONNX file none.onnx"),
        (
            ["explain", "--images", "pictures", "--model", "python:tiny:make", "--device", "cude"],
            2,
            "did you mean cuda",
        ),
        (["run", "--device", "cude"], 2, "did you mean cuda"),
        (["explain", "--images", "pictures", "--model", "python:tiny:make", "--activation", "x"], 2, "activation"),
    ],
)
def test_mistakes(
    arguments: list[str],
    code: int,
    said: str,
    workplace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("light_box.py").write_text("def light(pixels):\n    return pixels.mean((1, 2, 3)) / 255\n")
    assert call(monkeypatch, *arguments) == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_a_device_is_for_all_models(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two = ["--model", "world:objects", "--model", "world:scenes", "--images", "world:1", "--device", "cuda"]
    assert call(monkeypatch, "run", *two, "--save-config", "s.toml") == 0
    assert Path("s.toml").read_text().count('device = "cuda"') == 2
    assert call(monkeypatch, "run", "--config", "s.toml", "--device", "cpu", "--save-config", "t.toml") == 0
    assert Path("t.toml").read_text().count('device = "cpu"') == 2


def test_models_says_what_it_does_not_list(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "models", "obj*") == 0
    captured = capsys.readouterr()
    assert "world:objects" in captured.out
    for form in ("python:", "onnx:FILE", "http://ADDRESS", "hf-hub:ORG/NAME", "local-dir:FOLDER"):
        assert form in captured.err


def test_every_source_and_option_is_documented() -> None:
    page = (ROOT / "docs" / "models.md").read_text()
    for scheme in SOURCES:
        assert f"`{scheme}:" in page, scheme
    for kind in (OnnxOptions, HttpOptions):
        for option in dataclasses.fields(kind):
            assert f"| `{option.name}" in page, option.name
