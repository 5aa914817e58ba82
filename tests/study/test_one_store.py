"""Commands, runs and Python share what is kept; where nothing is to be kept nothing is left on disk."""

from __future__ import annotations

import functools
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import lumiscope
from lumiscope.attribution import AttributionMethod
from lumiscope.cli import main
from lumiscope.images import ImageSet
from lumiscope.models import TorchModel, load_model
from lumiscope.runs import STORE
from lumiscope.store import Store
from lumiscope.study import Study, explain
from lumiscope.study.stages import labels, stored_activations
from studies import changed

MODEL = ["--model", "python:tiny:make", "--classes", "classes.txt", "--input-size", "32", "--geometry", "squash"]
FEW = {"lime": {"num_samples": 40}}
METHODS = ["gradcam", "lime"]


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The methods that made maps, with the number of maps."""
    calls: list[tuple[str, int]] = []
    before = AttributionMethod.explain

    def counted(method: AttributionMethod[object], prepared, *rest):
        calls.append((method.name, len(prepared)))
        return before(method, prepared, *rest)

    monkeypatch.setattr(AttributionMethod, "explain", counted)
    return calls


@pytest.fixture
def dissected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was computed of a dissection: passes over images, and labels."""
    results: list[str] = []
    probe_images, label_units = stored_activations.probe_images, labels.label_units

    @functools.wraps(probe_images)
    def probed(*given):
        results.append("activations")
        return probe_images(*given)

    @functools.wraps(label_units)
    def labelled(*given, **options):
        results.append("labels")
        return label_units(*given, **options)

    monkeypatch.setattr(stored_activations, "probe_images", probed)
    monkeypatch.setattr(labels, "label_units", labelled)
    return results


def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict]:
    """What a command prints."""
    monkeypatch.setattr(sys, "argv", ["lumiscope", *arguments, "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def maps(study: Study) -> Study:
    return changed(study, probe=None, scorer=None, methods=METHODS, options=FEW)


def test_after_a_run_the_command_explain_computes_nothing(
    maps: Study, explained: list[object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lumiscope.run(changed(maps, repeats=0))
    assert sum(count for _, count in explained) == 14
    explained.clear()
    images = ["explain", "--images", "labels.csv", *MODEL]
    rows = command(monkeypatch, capsys, *images, "--methods", "gradcam,lime", "--option", "lime.num_samples=40")
    assert len(rows) == 14
    assert len(command(monkeypatch, capsys, *images, "--methods", "gradcam")) == 7
    assert explained == []
    assert command(monkeypatch, capsys, *images, "--methods", "gradcam", "--target-layer", "1")
    assert explained == [("gradcam", 4), ("gradcam", 3)]


def test_after_explain_in_python_a_run_computes_nothing(maps: Study, pictures: ImageSet) -> None:
    model = load_model("python:tiny:make", name="make", classes="classes.txt", input_size=32, geometry="squash")
    store = Store(Path(maps.run.runs) / STORE)
    explain(model, pictures, methods=METHODS, options=FEW, store=store)
    timings = lumiscope.run(maps).manifest.timings
    assert [(timing.method, timing.images, timing.computed) for timing in timings] == [
        ("gradcam", 7, 0),
        ("lime", 7, 0),
    ]
    assert all(timing.seconds_each > 0 for timing in timings), "what they took when they were computed"


def test_a_run_and_the_command_dissect_share_labels(
    study: Study, dissected: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = lumiscope.run(changed(study, images=None, controls=0))
    assert dissected == ["activations", "labels", "labels"]
    dissected.clear()
    naming = ["--probe", "pictures", "--scorer", "table:scores.npz", "--layers", "0,3", "--similarity", "cos"]
    rows = command(monkeypatch, capsys, "dissect", *MODEL, *naming)
    assert dissected == []
    assert [row["label"] for row in rows] == run.table("units")["label"].to_pylist()
    command(monkeypatch, capsys, "dissect", *MODEL, *naming, "--fdr", "0.5")
    assert dissected == ["labels", "labels"], "the activations are the same"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[Path]]:
    """All files that there are, those of the system's folder for temporary ones among them; none may come."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    before = set(tmp_path.rglob("*"))
    yield before
    assert {path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts} == before


@pytest.mark.parametrize("in_memory", [2**26, 0])
def test_without_a_store_nothing_is_left_on_disk(
    in_memory: int, tiny: TorchModel, pictures: ImageSet, monkeypatch: pytest.MonkeyPatch, files: set[Path]
) -> None:
    monkeypatch.setattr("lumiscope.memory_store.MemoryStore.__init__.__defaults__", (in_memory,))
    monkeypatch.setattr("lumiscope.columns.SMALL", in_memory)
    maps = lumiscope.explain(tiny, pictures, methods=METHODS, options=FEW)
    assert len(maps) == 14
    labels = lumiscope.dissect(tiny, pictures, layers=["1"], scorer="table:scores.npz", similarity="cos")
    assert len(labels.layers[0]) == 6
