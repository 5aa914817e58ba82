"""A package of a third party adds a method, a model source, a scorer and a metric; one that fails breaks nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

PLUGIN = Path(__file__).with_name("plugin")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def entry_points(groups: Mapping[str, Mapping[str, str]]) -> str:
    """Entry points as an installed package has them."""
    return "\n".join(
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in points.items())])
        for group, points in groups.items()
    )


@pytest.fixture
def lumiscope(tmp_path: Path) -> Run:
    """Runs `lumiscope` in an empty folder, with the package installed as pip would but for its place.

    `more`: further entry points, of another package. `start`: what Python runs, if not lumiscope.
    """
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    installed = tmp_path / "installed"

    def install(name: str, version: str, groups: Mapping[str, Mapping[str, str]]) -> None:
        info = installed / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(entry_points(groups))

    def run(
        *arguments: object,
        more: Mapping[str, Mapping[str, str]] | None = None,
        start: Sequence[str] = ("-m", "lumiscope"),
    ) -> subprocess.CompletedProcess[str]:
        install(project["name"], project["version"], project["entry-points"])
        if more:
            install("careless", "0.1", more)
        paths = [*sys.path, str(installed), str(PLUGIN / "src")]
        return subprocess.run(
            [sys.executable, *start, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)},
        )

    return run


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_list_what_a_plug_in_adds(lumiscope: Run) -> None:
    facts = {row["method"]: row for row in json.loads(said(lumiscope("methods", "--json")))}
    assert list(facts)[-1] == "mine", "after lumiscope's own"
    assert facts["mine"]["options"] == {"power": 1.0}
    assert said(lumiscope("models", "mine:*")).split() == ["model", "mine:small", "mine:tiny"]
    assert "mine:…" in said(lumiscope("run", "--help"))


def test_explain_runs_the_method_on_the_model(lumiscope: Run, tmp_path: Path) -> None:
    arguments = ["--images", "world:2", "--model", "mine:tiny", "--methods", "mine,gradcam", "--out", "maps"]
    rows = json.loads(said(lumiscope("explain", *arguments, "--option", "mine.power=2", "--json")))
    assert [row["method"] for row in rows] == ["mine", "gradcam"] * 2
    values = np.load(tmp_path / rows[0]["array"])["values"]
    assert 0 < values.max() <= rows[0]["probability"]
    wrong = lumiscope("explain", *arguments, "--option", "mine.powr=2")
    assert wrong.returncode == 2
    assert "unknown option of mine 'powr': did you mean power?" in wrong.stderr


def test_dissect_takes_the_scorer_and_a_study_file_knows_its_path(lumiscope: Run, tmp_path: Path) -> None:
    (tmp_path / "colours.txt").write_text("red\nblue\n")
    arguments = ["--probe", "world:40", "--model", "mine:tiny", "--scorer", "mine:colours.txt", "--layers", "1"]
    rows = json.loads(said(lumiscope("dissect", *arguments, "--fdr", "1", "--min-stability", "0", "--json")))
    assert len(rows) == 4
    assert {row["label"] for row in rows} <= {"red", "blue"}
    said(lumiscope("run", *arguments, "--save-config", "deep/study.toml"))
    assert 'scorer = "mine:../colours.txt"' in (tmp_path / "deep" / "study.toml").read_text()


def test_a_plug_in_that_fails_is_named_once_and_all_others_work(lumiscope: Run) -> None:
    done = lumiscope("methods", more={"lumiscope.methods": {"broken": "no_such_module"}})
    assert "mine" in said(done)
    problems = [line for line in done.stderr.splitlines() if "plug-in" in line]
    assert problems == [
        "lumiscope: the plug-in broken (no_such_module) of careless is left out: ModuleNotFoundError: No module named "
        "'no_such_module'",
    ]


CHECKS = """
import sys
from lumiscope.testing import check_method, check_metric, check_scorer, check_source

def reference(question):
    brightness = question.pixels.mean(2) / 255
    return question.probabilities(question.image)[question.target] * brightness ** question.options["power"]

def positive(question, maps, known):
    return [float("nan") if (saliency != saliency).any() else (saliency > 0).mean() for saliency in maps]

check_method("mine", reference, options={"power": 2})
check_metric("mine", positive)
check_source("mine:tiny")
check_scorer("mine:colours.txt", other_spec="mine:red.txt")
assert "pytest" not in sys.modules
check_method("mine", lambda question: 0 * question.pixels.mean(2))
"""


def test_a_stranger_checks_his_own_entries(lumiscope: Run, tmp_path: Path) -> None:
    (tmp_path / "colours.txt").write_text("red\nblue\n")
    (tmp_path / "red.txt").write_text("red\n")
    done = lumiscope(start=("-c", CHECKS))
    assert done.returncode == 1
    assert re.search(r"AssertionError: expected the map of mine for picture 0 .* within .*", done.stderr)
    assert "line 17, in <module>" in done.stderr, "only the last check fails"
