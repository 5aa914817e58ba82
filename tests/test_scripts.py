"""The scripts that a new user meets first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "scripts"


@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.iterdir()))
def test_a_plain_shell_can_read_it(script: str) -> None:
    assert subprocess.run(["sh", "-n", SCRIPTS / script], check=False).returncode == 0


@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="it would install .venv first")
def test_demo_hands_arguments_on_and_ends_with_an_error_where_the_run_does(tmp_path: Path) -> None:
    config = tmp_path / "absent.toml"
    done = subprocess.run(
        [SCRIPTS / "demo", "--config", config], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 2
    assert str(config) in done.stderr
    assert done.stdout == ""
