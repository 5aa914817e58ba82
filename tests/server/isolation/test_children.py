"""Children that try to get out, to take all, or that go wrong: under each isolation that works here."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lumiscope.errors import UsageError
from lumiscope.server.isolation import KINDS, ChildLimits, Isolation, Landlock, Rlimits, prove, run_child
from lumiscope.server.isolation._watch import folder_bytes

HERE = Path(__file__).parent
LIMITS = ChildLimits(memory_bytes=200 * 2**20, cpu_seconds=20, wall_seconds=20, processes=32)
MIB = 2**20


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def isolation(request) -> Isolation:
    return working(request.param)


@pytest.fixture(
    scope="module", params=[kind for kind in KINDS if kind.strength == "strong"], ids=lambda kind: kind.name
)
def strong(request) -> Isolation:
    return working(request.param)


@pytest.fixture(scope="module")
def any_isolation() -> Isolation:
    """What does not depend on the isolation is tried under one."""
    return Rlimits() if Landlock().lacking() else Landlock()


def working(kind: type[Isolation]) -> Isolation:
    isolation = kind()
    trouble = isolation.lacking() or prove(isolation)[1]
    if trouble:
        pytest.skip(f"{kind.name} does not work here: {trouble}")
    return isolation


@pytest.fixture
def child(monkeypatch):
    """(isolation, name in hostile.py, request, limits that differ) -> result."""
    monkeypatch.syspath_prepend(str(HERE))

    def call(isolation, name, request=None, *, parts=None, readable=(), on_progress=nothing, stopped=bool, **limits):
        limits = ChildLimits(**{**LIMITS.to_json(), **limits})
        folders = (HERE, *readable)
        entry = f"hostile:{name}"
        return run_child(isolation, entry, request or {}, parts or {}, limits, folders, on_progress, stopped)

    return call


def nothing(done, total):
    pass


def children_of(pid: int) -> set[int]:
    """All descendants of a process that are alive."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] not in "ZX":
            parents[int(name)] = int(fields[1])
    family = {pid}
    for _ in parents:
        family |= {child for child, parent in parents.items() if parent in family}
    return family - {pid}


def wait_until(condition, seconds=10.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_what_goes_in_comes_back(isolation, child):
    steps = []
    result = child(
        isolation, "echo", {"a": [1, None]}, parts={"truth": b"t" * 100_000}, on_progress=lambda *at: steps.append(at)
    )
    assert result.state == "done", result
    assert result.result == {"request": {"a": [1, None]}, "parts": {"truth": "t" * 100_000}}
    assert steps == [(0, 2), (1, 2), (2, 2)]
    assert (result.error, result.log_tail) == ("", "said on standard output\n")
    assert 0 < result.cpu_seconds < 5
    assert 5 * MIB < result.peak_bytes < 100 * MIB
    assert not children_of(os.getpid())


def test_torch_runs_in_threads(strong, child):
    result = child(strong, "uses_torch", memory_bytes=1024 * MIB, cpu_seconds=60, wall_seconds=60)
    assert result.result == {"shape": [4, 8, 62, 62]}, result
    assert result.peak_bytes > 100 * MIB


def test_nothing_of_the_server_comes_along(isolation, child, monkeypatch, tmp_path):
    monkeypatch.setenv("LUMISCOPE_TOKEN", "lsk_secret")
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "open").open("wb") as file:
        os.set_inheritable(file.fileno(), True)
        answer = child(isolation, "surroundings").result
    assert "lsk_secret" not in str(answer["environment"])
    assert str(tmp_path) not in str(answer["environment"])
    assert (answer["folder"], answer["inherited"]) == ("/", [])
    # torch._dynamo makes this folder when it is imported, wherever it may not.
    assert answer["environment"]["TORCHINDUCTOR_CACHE_DIR"] == "/"


def test_no_socket(strong, child):
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        udp.bind(("127.0.0.1", 0))
        unix.bind("\0lumiscope-test-" + str(os.getpid()))
        unix.listen()
        ways = {"tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1], "unix": unix.getsockname()[1:].decode()}
        assert child(Rlimits(), "connects", ways).result == {"open": ["tcp", "udp", "abstract unix"]}
        assert child(strong, "connects", ways).result == {"open": []}


def test_no_file_but_those_given(strong, child, tmp_path):
    for name in ("images", "truth"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(b"x")
    (tmp_path / "truth").chmod(0o700)
    (tmp_path / "images" / "link.png").symlink_to(tmp_path / "truth" / "a.png")
    given, *sealed = map(str, (tmp_path / "images/a.png", tmp_path / "truth/a.png", tmp_path / "images/link.png"))
    request = {"paths": [given, *sealed, "/etc/shadow", "/etc/passwd"], "parent": os.getpid()}
    readable = [tmp_path / "images"]
    assert child(strong, "reads", request, readable=readable).result == {"read": [given]}
    assert set(child(Rlimits(), "reads", request, readable=readable).result["read"]) >= {given, *sealed}
    assert child(strong, "lists_parent", {"parent": os.getpid()}).result == {"refused": True}


def test_nothing_is_changed(strong, child, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"x")
    before = facts_of(path)
    result = child(strong, "changes", {"path": str(path)}, readable=[tmp_path])
    assert result.result == {"possible": []}
    assert (path.read_bytes(), facts_of(path)) == (b"x", before)
    assert [item.name for item in tmp_path.iterdir()] == ["a.png"]


def facts_of(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_mode, status.st_nlink, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def test_no_process(strong, child):
    assert child(strong, "forks", {"count": 200, "seconds": 0}).result == {"count": 0}
    assert child(strong, "runs_a_program").result == {"refused": True}


def test_a_fork_bomb_is_put_out(child):
    result = child(Rlimits(), "forks", {"count": 300, "seconds": 10}, memory_bytes=2048 * MIB)
    assert result.state == "killed"
    assert "more than 32 processes and threads" in result.error
    assert not children_of(os.getpid())


def test_threads_are_counted(isolation, child):
    assert child(isolation, "starts_threads", {"count": 20, "seconds": 0.3}).result == {"count": 20}
    result = child(isolation, "starts_threads", {"count": 60, "seconds": 10}, memory_bytes=1024 * MIB)
    assert (result.state, result.result) in (("killed", None), ("failed", None))  # by the parent; by RLIMIT_NPROC


def test_no_file_without_scratch(isolation, child):
    result = child(isolation, "writes_files", {"count": 1, "size": 1})
    assert result.state == "failed"
    assert "KeyError: 'TMPDIR'" in result.error


def test_scratch_files_are_bounded(isolation, child, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert child(isolation, "writes_files", {"count": 3, "size": MIB}, file_bytes=4 * MIB).result == {"bytes": 3 * MIB}
    large = child(isolation, "writes_files", {"count": 1, "size": 5 * MIB, "seconds": 0.3}, file_bytes=4 * MIB)
    assert large.state == "done"  # a short write: the kernel stops it at the limit
    for unlink in (False, True):
        request = {"count": 60, "size": MIB, "seconds": 0.02, "unlink": unlink}
        many = child(isolation, "writes_files", request, file_bytes=4 * MIB)
        assert (many.state, many.result) in (("too much output", None), ("failed", None)), many
        assert "files took more than" in many.error or "No space left" in many.error
    assert not list(tmp_path.iterdir())


def test_empty_files_and_folders_take_room(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "empty").touch()
    (tmp_path / "a" / "b" / "full").write_bytes(b"x" * 10_000)
    assert folder_bytes(tmp_path) == 3 * 4096 + 3 * 4096  # three that are empty, and three blocks


@pytest.mark.parametrize("name", ["allocates", "allocates_shared"])
def test_memory_is_bounded(isolation, child, name):
    result = child(isolation, name)
    assert result.state == "out of memory", result
    assert result.peak_bytes < 400 * MIB


def test_time_is_bounded(isolation, child):
    begin = time.monotonic()
    slept = child(isolation, "sleeps", wall_seconds=0.5)
    assert 0.5 <= time.monotonic() - begin < 3
    assert (slept.state, slept.error) == ("out of time", "it was not done after 0.5 seconds")
    looped = child(isolation, "loops", cpu_seconds=0.5)
    assert (looped.state, looped.error) == ("out of time", "it used more than 0.5 seconds of the processor")
    assert 0.5 < looped.cpu_seconds < 3
    assert not children_of(os.getpid())


def test_the_kernel_bounds_the_processor_where_nobody_watches(child, monkeypatch):
    monkeypatch.setattr("lumiscope.server.isolation._watch._process_ids", list)
    result = child(Rlimits(), "loops", cpu_seconds=1)
    assert (result.state, result.error) == ("out of time", "it used more than 1 seconds of the processor")
    assert child(Rlimits(), "allocates").state == "out of memory"


def test_no_outliving(isolation, tmp_path):
    program = f"""
import sys; sys.path.insert(0, {str(HERE)!r})
from pathlib import Path
from lumiscope.server.isolation import *
kind = next(kind for kind in KINDS if kind.name == {isolation.name!r})
run_child(kind(), "hostile:sleeps", {{}}, {{}}, ChildLimits(), [Path({str(HERE)!r})], lambda *at: print(flush=True))
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"\n"
        family = children_of(parent.pid)
        assert family
        parent.kill()
    assert wait_until(lambda: not any(is_alive(pid) for pid in family))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("how", "state", "words"),
    [
        ("exit", "failed", "without an answer, with exit code 3"),
        ("exit like a signal that is none", "failed", "without an answer, with exit code 168"),
        ("sys.exit", "failed", "SystemExit"),
        ("abort", "failed", "it crashed: SIGABRT"),
        ("null pointer", "failed", "it crashed: SIGSEGV"),
        ("error of ours", "failed", "expected a map, got a mask"),
        ("error", "failed", "ValueError: x"),
        ("no JSON", "failed", "TypeError"),
        ("not a number", "failed", "ValueError"),
    ],
)
def test_ends_come_back_in_words(any_isolation, child, how, state, words):
    result = child(any_isolation, "ends", {"how": how})
    assert (result.state, result.result) == (state, None)
    assert words in result.error
    assert len(result.error) < 2100


def test_a_crash_shows_through_every_isolation(isolation, child):
    result = child(isolation, "ends", {"how": "null pointer"})
    assert result.error.startswith("it crashed: SIGSEGV")
    assert "Fatal Python error: Segmentation fault" in result.log_tail


def test_an_unknown_entry_comes_back_in_words(any_isolation):
    result = run_child(any_isolation, "lumiscope.nowhere:f", {}, {}, LIMITS)
    assert (result.state, result.error) == ("failed", "ModuleNotFoundError: No module named 'lumiscope.nowhere'")


def test_a_killed_child_comes_back_in_words(isolation, child):
    def kill(done, total):
        for pid in children_of(os.getpid()):
            with contextlib.suppress(ProcessLookupError):  # one that fell with another
                os.kill(pid, signal.SIGKILL)

    result = child(isolation, "sleeps", on_progress=kill)
    assert (result.state, result.result) == ("killed", None)
    assert "ended from outside by SIGKILL" in result.error


def test_the_server_can_stop_a_child(any_isolation, child):
    steps = []
    result = child(any_isolation, "sleeps", on_progress=lambda *at: steps.append(at), stopped=lambda: bool(steps))
    assert (result.state, result.error) == ("killed", "the server stopped it")
    assert not children_of(os.getpid())


def test_an_error_of_the_parent_ends_the_child(isolation, child):
    def lost(done, total):
        raise KeyError("the lease is lost")

    with pytest.raises(KeyError, match="lease"):
        child(isolation, "sleeps", on_progress=lost)
    assert not children_of(os.getpid())


@pytest.mark.parametrize(
    ("name", "words"),
    [("prints", "it printed more than"), ("progresses", "it answered more than"), ("answers_much", "it answered more")],
)
def test_output_is_bounded(any_isolation, child, name, words):
    result = child(any_isolation, name, {"size": 2 * MIB}, answer_bytes=MIB, log_bytes=MIB)
    assert result.state == "too much output"
    assert words in result.error
    assert len(result.log_tail) <= 16 * 1024


GARBAGE = {
    "no frame": (b"\x00" * 64, "failed", "expected a frame"),
    "a page": (b"HTTP/1.1 200 OK\r\n\r\n", "failed", "expected a frame"),
    "endless": (b"LSF1\xff\xff\xff\xff", "too much output", "answered more than"),
    "no JSON": (b"LSF1\x00\x00\x00\x02{]", "failed", "expected JSON"),
    "no text": (b"LSF1\x00\x00\x00\x02\xff\xfe", "failed", "expected JSON"),
    "a list": (b"LSF1\x00\x00\x00\x02[]", "failed", "expected a JSON object"),
    "no number": (b'LSF1\x00\x00\x00\x09{"a":NaN}', "failed", "NaN is no JSON number"),
    "deep": (b"LSF1" + (20_000).to_bytes(4, "big") + b"[" * 20_000, "failed", "expected JSON"),
    "no kind": (b"LSF1\x00\x00\x00\x02{}", "failed", "expected progress, a result or an error"),
    "no result": (b'LSF1\x00\x00\x00\x1b{"kind":"result","result":1', "failed", "expected JSON"),
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_garbage_comes_back_in_words(any_isolation, child, content):
    sent, state, words = content
    result = child(any_isolation, "answers_raw", {"hex": sent.hex()})
    assert (result.state, result.result) == (state, None)
    assert words in result.error


def test_a_missing_path_is_an_error_of_use(any_isolation, tmp_path):
    with pytest.raises(UsageError, match="nowhere: expected a file or folder"):
        run_child(any_isolation, "time:time", {}, {}, LIMITS, [tmp_path / "nowhere"])
