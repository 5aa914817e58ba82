"""An edit of any code that labels depend on makes them anew, and nothing else; an edit of words makes nothing anew."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lumiscope
from lumiscope.code_digest import import_closure
from lumiscope.memo import Memo
from lumiscope.study import Study
from studies import changed

COMMAND = [
    "dissect", "--model", "python:tiny:make", "--classes", "classes.txt", "--input-size", "32", "--geometry", "squash",
    "--probe", "pictures", "--scorer", "table:scores.npz", "--layers", "3", "--similarity", "cos", "--json",
]  # fmt: skip


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package that may be edited."""
    copy = tmp_path / "copy" / "lumiscope"
    without = shutil.ignore_patterns("__pycache__", "*.safetensors")
    shutil.copytree(Path(lumiscope.__file__).parent, copy, ignore=without)
    return copy


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def q_values(package: Path, workplace: Path) -> list[float]:
    """Of the units, as the code of `package` says with what the store has."""
    path = os.pathsep.join([str(package.parent), *sys.path])
    said = subprocess.run(
        [sys.executable, "-m", "lumiscope", *COMMAND],
        cwd=workplace,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return [unit["q_value"] for unit in json.loads(said.stdout)]


def kept(workplace: Path) -> dict[str, int]:
    """How many times each kind of result was made by other code or of other inputs."""
    return {kind.name: sum(1 for _ in kind.iterdir()) for kind in (workplace / "runs" / ".store").iterdir()}


@pytest.mark.slow
def test_an_edit_of_a_module_far_below_makes_labels_anew(package: Path, workplace: Path) -> None:
    first = q_values(package, workplace)
    before = kept(workplace)
    assert {"activations", "concept_scores", "labels", "small_sample_notes"} <= before.keys()
    assert set(before.values()) == {1}
    multiple = package / "statistics" / "multiple.py"
    edit(multiple, "def benjamini_hochberg(", "# A step-up procedure.\n\n\ndef benjamini_hochberg(")
    text = multiple.read_text()
    multiple.write_text(text.replace(text.split('"""')[1], "Other words"))
    assert q_values(package, workplace) == first
    assert kept(workplace) == before, "a comment and a docstring make nothing stale"
    edit(
        multiple,
        "def benjamini_hochberg(",
        "def benjamini_hochberg(p_values):\n    return 1 - p_values\n\n\ndef before(",
    )
    assert q_values(package, workplace) != first
    assert kept(workplace) == {**before, "labels": 2, "small_sample_notes": 2}, "what was measured is still the same"


@pytest.mark.parametrize(
    ("maker", "used", "unused"),
    [
        ("lumiscope.attribution.methods.lime", "lumiscope.attribution.regions._hiding", "lumiscope.dissection"),
        ("lumiscope.attribution.methods.gradcam", "lumiscope.models.split", "lumiscope.attribution.methods.lime"),
        ("lumiscope.dissection.activations", "lumiscope.models.torch_model", "lumiscope.dissection.evidence"),
    ],
)
def test_a_result_depends_on_what_its_maker_uses_and_not_on_its_neighbours(maker: str, used: str, unused: str) -> None:
    closure = import_closure([maker])
    assert used in closure
    assert not [name for name in closure if name.startswith(unused)]


@pytest.mark.slow
def test_what_is_computed_from_images_depends_on_how_they_are_decoded(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    closures: dict[str, set[str]] = {}
    results = Memo.results

    def noted(memo, kind, inputs, *, made_by):
        makers = list(made_by)
        closures[kind] = import_closure(maker.__module__ for maker in makers)
        return results(memo, kind, inputs, made_by=makers)

    monkeypatch.setattr(Memo, "results", noted)
    lumiscope.run(changed(study, methods=["gradcam"]))
    decoding = {"lumiscope.images.decode", "lumiscope.world.renderer.render"}
    computed = {"logits", "maps", "activations", "unit_maps", "concept_scores", "contributions", "backends"}
    assert computed <= closures.keys()
    assert not {kind for kind in computed if not decoding <= closures[kind]}
    assert "lumiscope.models.backends.openvino_backend" in closures["backends"]
    assert "lumiscope.models._session_cache" in closures["backends"]
