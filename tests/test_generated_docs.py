"""What docs say of tables, commands, public names and stages is what the code says."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def write_docs(load_module: Callable[[str, str], ModuleType]) -> ModuleType:
    return load_module("write_docs", "../tools/write_docs.py")


@pytest.mark.parametrize("name", ["tables", "commands", "study file", "public names", "stages"])
def test_a_generated_part_is_not_stale(write_docs: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    page, _ = write_docs.PARTS[name]
    assert (write_docs.ROOT / page).read_text() == write_docs.with_part(name), "run python tools/write_docs.py"
