"""A run that is killed at any moment goes on where it was, to the very same tables and maps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [
    "run", "--images", "labels.csv", "--model", "python:tiny:make", "--classes", "classes.txt", "--input-size", "32",
    "--geometry", "squash", "--probe", "pictures", "--scorer", "table:scores.npz", "--layers", "0,3",
    "--similarity", "cos", "--option", "lime.num_samples=300", "--name", "resumed",
]  # fmt: skip


def start(folder: Path, runs: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "lumiscope", *COMMAND, "--runs", runs],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def shards(folder: Path, runs: str) -> dict[str, bytes]:
    """Every shard of the store by its place, with its bytes."""
    root = folder / runs / ".store"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.safetensors")}


def tables(folder: Path, runs: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / runs / "resumed" / "tables").glob("*.parquet")}


def kill_when(folder: Path, runs: str, count: int, how: signal.Signals) -> int:
    """Start the run, end it by `how` once the store holds `count` shards, and return its exit status."""
    process = start(folder, runs)
    limit = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < limit:
        if len(shards(folder, runs)) >= count:
            process.send_signal(how)
            break
        time.sleep(0.002)
    process.communicate(timeout=120)
    return process.returncode


@pytest.mark.slow
def test_killed_at_several_moments_it_ends_with_the_same_bytes(workplace: Path) -> None:
    assert start(workplace, "whole").wait(timeout=200) == 0
    whole = shards(workplace, "whole")
    assert len(whole) > 6
    statuses = [
        kill_when(workplace, "broken", 1, signal.SIGKILL),
        kill_when(workplace, "broken", 3, signal.SIGINT),
        kill_when(workplace, "broken", len(whole) - 1, signal.SIGKILL),
    ]
    assert statuses == [-signal.SIGKILL, 130, -signal.SIGKILL], "each was stopped before its end"
    assert not (workplace / "broken" / "resumed" / "manifest.json").exists()
    assert start(workplace, "broken").wait(timeout=200) == 0
    assert shards(workplace, "broken") == whole
    assert tables(workplace, "broken") == tables(workplace, "whole")
