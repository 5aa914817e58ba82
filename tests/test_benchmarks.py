"""Scripts in benchmarks/ are on the path of each other: none may take the place of a module of Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
TAKEN = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem in sys.stdlib_module_names)


@pytest.mark.parametrize("name", TAKEN)
def test_beside_the_benchmarks_python_has_its_own_modules(name: str) -> None:
    code = f"import sys; sys.path.insert(0, {str(FOLDER)!r}); import {name}; print({name}.__file__)"
    place = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert Path(place).parent != FOLDER
