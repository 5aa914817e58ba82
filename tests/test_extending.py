"""The diffs of docs/extending.md apply to the source as it is, and what they add keeps its contract."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COPIED = ("src", "tests", "docs", "tools", "examples", "pyproject.toml", "README.md")
SECTION = re.compile(r"^## (?P<kind>[^\n]+)\n(?:(?!^## ).)*?^```diff\n(?P<diff>.*?)^```$", re.MULTILINE | re.DOTALL)
DIFFS = {section["kind"]: section["diff"] for section in SECTION.finditer((ROOT / "docs" / "extending.md").read_text())}
MOST_FILES = {"A CAM method": 3, "A trust metric": 3, "A section of the report": 4, "A model source": 3, "A command": 2}
TESTS = {
    "A CAM method": ("tests/contracts/test_methods.py", "-k", "gradcamelementwise or every_reference"),
    "A trust metric": ("tests/contracts/test_metrics.py", "-k", "half_area or every_reference"),
    "A section of the report": ("tests/report/test_doubts.py", "tests/report/test_registry.py"),
    "A model source": ("tests/contracts/test_sources.py", "-k", "torchscript"),
    "A command": ("tests/contracts/test_commands.py", "tests/test_generated_docs.py", "-k", "skipped or stale"),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_every_kind_has_its_diff():
    assert list(DIFFS) == list(TESTS)


@pytest.mark.parametrize("kind", TESTS)
def test_it_touches_few_files(kind):
    assert 1 < DIFFS[kind].count("diff --git ") <= MOST_FILES[kind]


@pytest.mark.parametrize("kind", TESTS)
def test_what_it_adds_keeps_its_contract(kind, copy):
    applied = subprocess.run(["git", "apply", "-"], input=DIFFS[kind], cwd=copy, text=True, capture_output=True)
    assert applied.returncode == 0, applied.stderr
    environment = os.environ | {"PYTHONPATH": str(copy / "src")}
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *TESTS[kind]]
    ran = subprocess.run(command, cwd=copy, env=environment, text=True, capture_output=True)
    assert ran.returncode == 0, ran.stdout
