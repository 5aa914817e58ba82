"""Stdout is for data: what a user's network prints is heard on stderr, and a stdout that fails is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LOUD = """
import ctypes, os, sys
print("import")
os.write(1, b"handle\\n")
print("dunder", file=sys.__stdout__)
os.system("echo shell")
ctypes.CDLL(None).puts(b"libc")
import torch
class Net(torch.nn.Sequential):
    def forward(self, inputs):
        print("forward")
        return super().forward(inputs).mean((2, 3))
def make():
    print("make")
    return Net(torch.nn.Conv2d(3, 4, 3))
"""
LIST = [sys.executable, "-m", "lumiscope", "methods", "--json"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.mark.slow
def test_what_the_users_code_prints_is_no_data(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(LOUD)
    arguments = ["layers", "python:loud:make", "--input-size", "16", "--json"]
    ended = subprocess.run(
        [sys.executable, "-m", "lumiscope", *arguments], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert [row["layer"] for row in json.loads(ended.stdout)][:1] == ["0"]
    assert {"import", "handle", "dunder", "shell", "libc", "forward", "make"} <= set(ended.stderr.splitlines())


def test_a_stdout_that_is_full_is_said_in_words() -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(LIST, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "lumiscope: No space left on device. Free some space there, or choose another folder.\n"


def test_without_a_stdout_a_command_works() -> None:
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", *LIST]
    ended = subprocess.run(closed, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_ended_says_how_to_go_on(tmp_path: Path, how: signal.Signals) -> None:
    command = [
        "run", "--images", "world:4", "--model", "world:objects", "--methods", "lime", "--option",
        "lime.num_samples=5000",
    ]  # fmt: skip
    running = subprocess.Popen(
        [sys.executable, "-m", "lumiscope", *command, "--runs", str(tmp_path)], env=ENVIRONMENT, stderr=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    limit = time.monotonic() + 100
    while not list(tmp_path.glob("*/log.jsonl")) and time.monotonic() < limit:
        time.sleep(0.05)
    running.send_signal(how)
    data, said = running.communicate(timeout=100)
    assert (running.returncode, data) == (130, "")
    assert said.endswith("lumiscope: stopped. Run the same command again: it goes on from here.\n")
    assert not list(tmp_path.rglob("lock.json"))
