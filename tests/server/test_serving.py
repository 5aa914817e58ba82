"""The whole of it, as it is started: a server with its worker, a hand-in by the command, and a copy of everything."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra `server` is not installed")

from lumiscope.errors import UsageError
from lumiscope.server import Client, ServerError
from lumiscope.server.backup import backup, restore
from lumiscope.server.serving import Serving

LUMISCOPE = [sys.executable, "-m", "lumiscope"]
STARTING_SECONDS = 60


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory, without_baselines) -> Path:
    """A server's folder with a challenge of four pictures, and no other."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copytree(without_baselines.folder, folder / "challenges" / "world")
    return folder


@pytest.fixture(scope="module")
def server(folder) -> Iterator[str]:
    url = f"http://127.0.0.1:{free_port()}"
    command = [*LUMISCOPE, "serve", "--dir", folder, "--port", url.rpartition(":")[2]]
    log = folder.parent / "serve.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stderr=stream, stdout=stream)
    try:
        until = time.monotonic() + STARTING_SECONDS
        while True:
            try:
                Client(url).challenges()
                break
            except ServerError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.2)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()


def test_a_file_is_handed_in_scored_and_ranked_as_check_says(server, folder, parameters, tmp_path):
    token = Serving(folder).token("ada")
    file = tmp_path / "parameters.json"
    file.write_bytes(parameters({"gradcam": {}}))
    common = [file, "--challenge", "world", "--server", server]
    environment = {**os.environ, "LUMISCOPE_TOKEN": token}
    handed_in = subprocess.run(
        [*LUMISCOPE, "submit", *common], env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert handed_in.returncode == 0, handed_in.stderr
    checked = subprocess.run(
        [*LUMISCOPE, "submit", "--check", *common], capture_output=True, text=True, timeout=100, check=True
    )
    mean = re.search(r"Mean IoU ([0-9.]+)", handed_in.stderr)[1]
    assert f"Mean IoU {mean} " in checked.stderr, "the very scorer"
    with Client(server, token) as client:
        (row,) = client.leaderboard("world").rows
        (view,) = client.submissions()
    assert (row.who, f"{row.public:.3f}", f"{view.iou:.3f}") == ("ada", mean, mean)
    assert [step.state for step in view.timeline] == ["received", "validated", "queued", "running", "scored"]


def test_what_cannot_be_read_is_rejected_with_its_faults(server, folder, tmp_path):
    with Client(server, Serving(folder).token("eve")) as client:
        *_, view = client.follow(client.hand_in("world", "p.json", b"{}").id)
    assert view.state == "rejected"
    assert len(view.faults) == 4, "one for each picture that is missing"


def test_the_folder_is_its_owner_s_alone(server, folder):
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600


def test_a_copy_of_a_running_server_is_the_server(server, folder, tmp_path):
    Serving(folder).token("bob")
    backup(folder, tmp_path / "copy.tar.gz")
    restore(tmp_path / "copy.tar.gz", tmp_path / "again")
    assert (tmp_path / "again" / "secret").read_bytes() == (folder / "secret").read_bytes()
    assert stat.S_IMODE((tmp_path / "again" / "challenges" / "world" / "truth").stat().st_mode) == 0o700
    from lumiscope.server.database import Database, People

    names = [user.name for user in People(Database(f"sqlite:///{tmp_path / 'again' / 'server.sqlite'}")).users()]
    assert "bob" in names
    with pytest.raises(UsageError, match="new or empty"):
        restore(tmp_path / "copy.tar.gz", folder)
    with pytest.raises(UsageError, match="there already"):
        backup(folder, tmp_path / "copy.tar.gz")


def test_weak_isolation_is_not_for_others(tmp_path, folder, monkeypatch):
    from lumiscope.server.isolation import Rlimits

    monkeypatch.setattr("lumiscope.server.serving.choose_isolation", Rlimits)
    with pytest.raises(UsageError, match="accept-weak-isolation"):
        Serving(folder).run("0.0.0.0", free_port(), 0, print)


def test_a_folder_that_is_no_server_s_is_told(tmp_path):
    with pytest.raises(UsageError, match="lumiscope serve"):
        Serving(tmp_path / "nothing").token("ada")
