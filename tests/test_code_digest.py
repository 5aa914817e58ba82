from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from lumiscope.code_digest import import_closure

FILES = {
    "__init__.py": '"""A front."""\nfrom garden.rose import smell\n',
    "rose.py": "from garden._soil import richness\n\ndef smell():\n    return richness() * 2\n",
    "_soil.py": "def richness():\n    return 3\n",
    "lazy/__init__.py": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from garden.lazy.seed import grow\n\n"
        "def __getattr__(name):\n    raise AttributeError\n"
    ),
    "lazy/seed.py": "def grow():\n    return 1\n",
    "visitor.py": (
        '"""A visitor."""\n\ndef look():\n    """Look."""\n    # later, as it is heavy\n'
        "    from garden import smell\n    from .lazy import grow\n    return smell() + grow()\n"
    ),
    "stranger.py": "import json\n",
}


@pytest.fixture
def garden(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "garden" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def _in_garden(garden: Path, expression: str) -> str:
    code = f"from lumiscope.code_digest import code_digest, import_closure\nprint({expression})"
    path = f"{garden}:{':'.join(sys.path)}"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )
    return said.stdout.strip()


def test_a_package_without_a_front_counts(garden: Path) -> None:
    (garden / "meadow" / "deep").mkdir(parents=True)
    (garden / "meadow" / "clover.py").write_text("from meadow.deep.root import grip\n")
    (garden / "meadow" / "deep" / "root.py").write_text("def grip():\n    return 1\n")
    said = _in_garden(garden, "sorted(import_closure(['meadow.clover']))")
    assert said == "['meadow.clover', 'meadow.deep.root']"
    before = _in_garden(garden, "code_digest(frozenset(['meadow.clover']))")
    (garden / "meadow" / "deep" / "root.py").write_text("def grip():\n    return 2\n")
    assert _in_garden(garden, "code_digest(frozenset(['meadow.clover']))") != before


def test_a_module_that_is_registered_again_is_read_again(garden: Path) -> None:
    change = "Path('garden/_soil.py').write_text('def richness():\\n    return 9\\n')"
    said = _in_garden(
        garden,
        "[code_digest(frozenset(['garden.rose'])) for step in range(3) if step != 1 or ("
        f"__import__('os').chdir({str(garden)!r}), __import__('pathlib').{change}, "
        "__import__('lumiscope.code_digest').code_digest.forget_code())]",
    )
    first, second, third = ast.literal_eval(said)
    assert first != second == third


def test_the_closure_follows_fronts_to_where_a_name_comes_from(garden: Path) -> None:
    said = _in_garden(garden, "sorted(import_closure(['garden.visitor']))")
    assert said == "['garden._soil', 'garden.lazy.seed', 'garden.rose', 'garden.visitor']"


@pytest.mark.parametrize(
    ("name", "old", "new", "stale"),
    [
        ("_soil.py", "return 3", "return 4", True),
        ("lazy/seed.py", "return 1", "return 2", True),
        ("visitor.py", "smell() + grow()", "grow() + smell()", True),
        ("stranger.py", "import json", "import os", False),
        ("_soil.py", "def richness", "# how rich\n\n\ndef richness", False),
        ("visitor.py", '"""Look."""', '"""Look closely."""', False),
        ("visitor.py", '"""A visitor."""', "", False),
    ],
)
def test_an_edit_counts_where_the_code_depends_on_it(garden: Path, name: str, old: str, new: str, stale: bool) -> None:
    before = _in_garden(garden, "code_digest(frozenset(['garden.visitor']))")
    path = garden / "garden" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert (_in_garden(garden, "code_digest(frozenset(['garden.visitor']))") != before) is stale


def test_labels_depend_on_the_statistics_of_their_evidence() -> None:
    closure = import_closure(["lumiscope.dissection.labels"])
    assert {"lumiscope.statistics.multiple", "lumiscope.statistics.tails"} <= closure
    assert not any(name.startswith(("lumiscope.report", "lumiscope.cli", "lumiscope.world")) for name in closure)
