"""A full disk, another process in the same run folder, a damaged file: said, and without a trace in what follows."""

from __future__ import annotations

import datetime
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from lumiscope.errors import StoreError, UsageError
from lumiscope.runs import TABLES, Run
from lumiscope.study import ModelConfig, Study, _run_lock, compute
from lumiscope.study._run_lock import LOCK, Owner, run_lock

MAPS = [
    "run", "--images", "world:4", "--model", "world:objects", "--methods", "gradcam,scorecam", "--backend", "eager",
    "--name", "x", "--runs",
]  # fmt: skip
HOLDER = """
import sys
from pathlib import Path
from lumiscope.study._run_lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def small_study(runs: Path) -> Study:
    return Study(
        images="world:1", models=[ModelConfig(spec="world:objects")], methods=["gaussian"], name="x", runs=str(runs),
        backend="eager",
    )  # fmt: skip


def command(arguments: list[str], largest_file: int | None = None) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "lumiscope", *arguments],
        env=environment, preexec_fn=limit, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


def content(runs: Path) -> dict[str, bytes]:
    files = [*(runs / "x" / "tables").iterdir(), *(runs / ".store").rglob("*.safetensors")]
    return {str(path.relative_to(runs)): path.read_bytes() for path in files}


@pytest.mark.slow
def test_after_a_full_disk_the_same_bytes_come(tmp_path: Path) -> None:
    """The maps of a batch do not fit, those of single pictures would."""
    assert command([*MAPS, str(tmp_path / "whole")]).returncode == 0
    whole = content(tmp_path / "whole")
    maps = sorted(len(held) for name, held in whole.items() if "/maps/" in name)
    full = command([*MAPS, str(tmp_path / "full")], largest_file=maps[0] - 1)
    assert full.returncode == 1
    assert "cannot write to" in full.stderr
    assert "File too large. Free some space" in full.stderr
    assert "Traceback" not in full.stderr
    assert not list((tmp_path / "full" / ".store" / "maps").rglob("*.safetensors"))
    assert command([*MAPS, str(tmp_path / "full")]).returncode == 0
    assert content(tmp_path / "full") == whole
    assert not list(tmp_path.rglob("*.part"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("finished")
    compute(small_study(runs))
    return runs


@pytest.fixture
def runs(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "runs")
    return tmp_path / "runs"


@pytest.mark.timeout(60)
def test_a_lock_is_waited_for_and_says_whose_it_is(tmp_path: Path) -> None:
    def holder() -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path)], text=True, stdin=pipe, stdout=pipe, stderr=pipe
        )

    with holder() as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with holder() as second:
            assert second.stdin is not None
            assert second.stdout is not None
            assert second.stderr is not None
            said = second.stderr.readline()
            assert f"the run {tmp_path} is under way already (process {first.pid} on " in said
            assert second.poll() is None
            first.kill()
            assert second.stdout.readline() == "held\n", "a lock ends with its owner"
            second.stdin.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("seconds", "age"), [(125, "2 min 5 s"), (59.6, "1 min 0 s"), (-30, "0 min 0 s")])
def test_a_lock_says_how_long_it_has_been_held(monkeypatch: pytest.MonkeyPatch, seconds: float, age: str) -> None:
    """Never less than no time, where another computer's clock is ahead."""
    began = datetime.datetime(2026, 11, 22, 23, 48, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            return (began + datetime.timedelta(seconds=seconds)).astimezone(tz)

    monkeypatch.setattr(_run_lock, "datetime", SimpleNamespace(datetime=Clock))
    assert str(Owner(7, "here", began.isoformat())) == f"process 7 on here, since 2026-11-22 23:48:01 ({age})"


def test_waiting_would_never_end_for_this_process_and_its_parent_on_this_computer_alone() -> None:
    owners = {
        (process, host): Owner(process, host, "2020-01-01T00:00:00+00:00").waits_for_us()
        for process in (os.getpid(), os.getppid(), 0)
        for host in (socket.gethostname(), "elsewhere")
    }
    assert [owner for owner, waits in owners.items() if waits] == [
        (os.getpid(), socket.gethostname()), (os.getppid(), socket.gethostname())
    ]  # fmt: skip


def test_a_run_inside_the_same_run_is_refused_and_not_waited_for(runs: Path) -> None:
    def again(run: Run) -> None:
        assert (run.folder / LOCK).exists()
        with pytest.raises(StoreError, match="under way already in this process"):
            compute(small_study(runs))
        assert (run.folder / "manifest.json").exists(), "whoever is refused changes nothing"

    compute(small_study(runs), then=again)
    assert not (runs / "x" / LOCK).exists()


def test_what_a_dead_owner_left_says_nothing(runs: Path) -> None:
    (runs / "x" / LOCK).write_text('{"process": 1, "host": "elsewhere", "since": "2020-01-01T00:00:00+00:00"}')
    started = time.monotonic()
    with run_lock(runs / "x"):
        pass
    assert time.monotonic() - started < 5


def damage(path: Path, way: str) -> None:
    held = path.read_bytes()
    path.unlink()
    if way == "a folder":
        path.mkdir()
    elif way == "a pipe":
        os.mkfifo(path)
    elif way == "a link to nowhere":
        path.symlink_to("nowhere")
    else:
        middle = len(held) // 2
        flipped = held[:middle] + bytes([held[middle] ^ 0xFF]) + held[middle + 1 :]
        path.write_bytes({"empty": b"", "halved": held[:middle], "flipped": flipped, "deep": b"[" * 100_000}[way])


WAYS = ("empty", "halved", "flipped", "deep", "a folder", "a pipe", "a link to nowhere")


@pytest.mark.parametrize("way", WAYS)
def test_damaged_tables_are_said_with_their_path_and_how_to_mend_them(runs: Path, way: str) -> None:
    for name in TABLES:
        damage(runs / "x" / "tables" / f"{name}.parquet", way)
        with pytest.raises(StoreError, match=rf"{name}\.parquet is damaged: .*Run it again: lumiscope run --config"):
            Run.open(runs / "x").table(name)


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_manifest_is_said(runs: Path, way: str) -> None:
    damage(runs / "x" / "manifest.json", way)
    with pytest.raises(UsageError if way == "a link to nowhere" else StoreError, match=str(runs / "x")):
        Run.open(runs / "x")


@pytest.mark.parametrize("text", ["{}", "[]", "1", '{"format": 2}', '{"format": 2, "name": ' + "[" * 5000 + "]" * 5000])
def test_a_manifest_of_another_shape_is_said(runs: Path, text: str) -> None:
    (runs / "x" / "manifest.json").write_text(text)
    with pytest.raises(StoreError, match="Run it again"):
        Run.open(runs / "x")


def test_a_table_that_is_gone_is_no_empty_table(runs: Path) -> None:
    (runs / "x" / "tables" / "units.parquet").unlink()
    with pytest.raises(StoreError, match=r"units\.parquet is damaged: .*No such file"):
        Run.open(runs / "x").table("units")
