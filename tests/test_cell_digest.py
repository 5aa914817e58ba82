"""What no file has, as a cell of a notebook, is told apart by its own code and by what that names."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lumiscope import code_digest
from lumiscope.cell_digest import cell_digest
from lumiscope.memo import Memo
from lumiscope.memory_store import MemoryStore

CELL = """
FACTOR = 2

def helper(x):
    return x * FACTOR

def method(x, power=1):
    if x in {"a", "b", "c", "d"}:
        return 0
    return [helper(y) ** power for y in x]

class Kind:
    def of(self, x):
        return method(x)
"""


def run(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, "<cell>", "exec"), names)
    return names


@pytest.mark.parametrize("name", ["method", "Kind"])
@pytest.mark.parametrize(
    ("old", "new"),
    [("FACTOR = 2", "FACTOR = 3"), ("x * FACTOR", "x + FACTOR"), ("power=1", "power=2"), ('"d"}', '"e"}')],
)
def test_an_edit_anywhere_is_seen(name: str, old: str, new: str) -> None:
    assert old in CELL
    before = cell_digest(run(CELL)[name])
    assert before is not None
    assert cell_digest(run(CELL)[name]) == before
    assert cell_digest(run("\n\n# a remark\n" + CELL)[name]) == before
    assert cell_digest(run(CELL.replace(old, new))[name]) != before


@pytest.mark.parametrize("imported", ["import garden_shed", "from garden_shed import rake"])
def test_a_module_beside_the_notebook_counts(imported: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "garden_shed", raising=False)
    cell = f"{imported}\ndef method(x):\n    return {imported.split()[-1]}\n"
    digests = []
    for value in (1, 1, 2):
        (tmp_path / "garden_shed.py").write_text(f"def rake():\n    return {value}\n")
        code_digest.forget_code()
        digests.append(cell_digest(run(cell)["method"]))
    assert digests[0] == digests[1] != digests[2]


def test_what_has_a_file_is_left_to_it() -> None:
    assert cell_digest(functools.lru_cache) is None
    assert cell_digest(Memo) is None
    assert cell_digest(sys) is None


def test_a_decorated_function_is_what_it_wraps() -> None:
    def decorated(text: str) -> Any:
        return functools.wraps(method := run(text)["method"])(lambda *given: method(*given))

    assert cell_digest(decorated(CELL)) == cell_digest(run(CELL)["method"])


def test_results_of_another_cell_are_others() -> None:
    store = MemoryStore()

    def location(text: str) -> str:
        return Memo(store).results("maps", {}, made_by=[run(text)["method"]]).location

    assert location(CELL) == location(CELL)
    assert location(CELL) != location(CELL.replace("x * FACTOR", "x - FACTOR"))


def test_the_digest_is_the_same_in_every_process() -> None:
    code = (
        "import json, sys\nfrom lumiscope.cell_digest import cell_digest\n"
        "names = {'__name__': '__main__'}\nexec(compile(sys.argv[1], '<cell>', 'exec'), names)\n"
        "print(json.dumps(cell_digest(names['method'])))"
    )
    said = {
        subprocess.run([sys.executable, "-c", code, CELL], capture_output=True, text=True, check=True).stdout
        for _ in range(3)
    }
    assert [json.loads(text) for text in said] == [cell_digest(run(CELL)["method"])]
