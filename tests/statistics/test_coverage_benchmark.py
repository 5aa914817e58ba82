"""The table of docs/statistics.md is that of its command, whose name is also that of a module of Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def output_of(*command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [sys.executable, *command], env=environment, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def table(text: str) -> list[list[str]]:
    """The cells of the lines of Markdown tables."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def test_the_documented_table_has_the_rows_of_the_command() -> None:
    rows = table(output_of("benchmarks/statistics.py", "--trials", "2", "--jobs", "1"))
    documented = [row[:2] for row in table((ROOT / "docs" / "statistics.md").read_text())]
    assert len(rows) > 40
    for interval, drawn, *cells in rows:
        assert [interval, drawn] in documented
        assert len(cells) == 5
    assert [f"n = {images}" for images in (3, 5, 10, 30, 100)] == rows[0][2:]


def test_python_s_own_statistics_are_what_is_imported_beside_it() -> None:
    """As every other benchmark does, whose folder comes first on its path."""
    code = "import sys; sys.path.insert(0, 'benchmarks'); {}; print({}([1, 2, 9]))"
    assert output_of("-c", code.format("import statistics", "statistics.median")) == "2\n"
    assert output_of("-c", code.format("from statistics import median", "median")) == "2\n"
