"""Files: whole or not at all, within bounds, and every refusal of the file system in words."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lumiscope import files
from lumiscope.errors import ImageError, ModelError, PathError, StoreError
from lumiscope.files import (
    clear_parts,
    failure_in_words,
    is_machines,
    parse_json,
    parse_toml,
    read_bytes,
    read_text,
    refuse_odd_entry,
    write_atomically,
)

KILLED = """
import os, signal, sys
from pathlib import Path
from lumiscope.files import write_atomically
os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
write_atomically(Path(sys.argv[1]) / "file", b"half")
"""
WRITING = """
import fcntl, sys, tempfile
handle, name = tempfile.mkstemp(dir=sys.argv[1], prefix=".", suffix=".part")
fcntl.flock(handle, fcntl.LOCK_EX)
print(name, flush=True)
sys.stdin.read()
"""


def parts(folder: Path) -> list[Path]:
    return list(folder.glob(".*.part"))


@pytest.mark.skipif(os.name != "posix", reason="rights of files are POSIX's")
def test_what_is_written_may_be_read_by_all_and_changed_by_its_owner(tmp_path):
    write_atomically(tmp_path / "file", b"whole")
    assert stat.filemode((tmp_path / "file").stat().st_mode) == "-rw-r--r--"
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert parts(tmp_path) == []


def test_what_a_killed_process_left_is_cleared_and_what_a_live_one_writes_is_not(tmp_path):
    for _ in range(3):
        assert subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False).returncode == -9
    assert len(parts(tmp_path)) == 1  # each cleared what the one before had left
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", WRITING, tmp_path], text=True, **pipes) as living:
        live = Path(living.stdout.readline().strip())
        write_atomically(tmp_path / "file", b"whole")
        assert parts(tmp_path) == [live]
    clear_parts(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"whole"


def test_a_file_that_was_cleared_away_while_it_was_written_is_written_again(tmp_path, monkeypatch):
    def rename(part, path, original=os.replace):
        if not lost:
            lost.append(part)
            part.unlink()
        original(part, path)

    lost: list[Path] = []
    monkeypatch.setattr(files.os, "replace", rename)
    write_atomically(tmp_path / "file", b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert (len(lost), parts(tmp_path)) == (1, [])


@pytest.mark.parametrize(
    ("number", "kind", "code", "remedy"),
    [
        (errno.ENOSPC, StoreError, 1, "Free some space"),
        (errno.EDQUOT, StoreError, 1, "Free some space"),
        (errno.EFBIG, StoreError, 1, "Free some space"),
        (errno.EIO, StoreError, 1, "Check the disk"),
        (errno.EMFILE, StoreError, 1, "Raise the limit of open files"),
        (errno.EACCES, PathError, 2, "Check who may use it"),
        (errno.EROFS, PathError, 2, "Check who may use it"),
        (errno.ENOTDIR, PathError, 2, "Choose another path"),
        (errno.ENAMETOOLONG, PathError, 2, "Choose a shorter name"),
    ],
)
def test_what_the_file_system_refuses_is_said_with_path_and_remedy(tmp_path, monkeypatch, number, kind, code, remedy):
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(StoreError) as caught:
        write_atomically(tmp_path / "file", b"x")
    assert (type(caught.value), caught.value.exit_code) == (kind, code)
    assert str(caught.value).startswith(f"cannot write to {tmp_path / 'file'}: {os.strerror(number)}. {remedy}")
    assert list(tmp_path.iterdir()) == []


def test_real_refusals(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    for name in ("file/below", "folder", "loop/below", "x" * 300):
        with pytest.raises(PathError, match="cannot write to "):
            write_atomically(tmp_path / name, b"x")


def test_a_path_of_any_length_is_shown_in_one_line():
    shown = failure_in_words(OSError(errno.ENAMETOOLONG, "File name too long"), "a/" + "b" * 4000)
    assert len(shown) < 300
    assert shown.endswith("b: File name too long. Choose a shorter name.")


def test_the_machine_is_at_fault_also_behind_another_error():
    def because(error, cause):
        error.__cause__ = cause
        return error

    full, absent = OSError(errno.ENOSPC, "full"), FileNotFoundError(errno.ENOENT, "none")
    assert is_machines(full)
    assert is_machines(StoreError("x"))
    assert is_machines(because(ModelError("x"), because(RuntimeError("y"), full)))
    assert not is_machines(absent)
    assert not is_machines(because(ImageError("x"), absent))
    assert not is_machines(because(ImageError("x"), PermissionError(errno.EACCES, "no")))


def test_only_files_are_read_and_none_is_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "loop").symlink_to("loop")
    expected = {"pipe": "a pipe or a device", "link": "a pipe or a device", "loop": "symbolic links", ".": "a folder"}
    for name, words in {**expected, "absent": "No such file"}.items():
        with pytest.raises(OSError, match=words):
            read_bytes(tmp_path / name)
    for name in ("pipe", "link", "."):
        with pytest.raises(OSError, match=expected[name]):
            refuse_odd_entry(tmp_path / name)
    refuse_odd_entry(tmp_path / "absent")


def test_what_is_too_large_is_refused_before_memory_is_taken(tmp_path):
    with (tmp_path / "vast").open("wb") as file:
        file.truncate(10 * 2**30)
    (tmp_path / "fits").write_bytes(b"12345")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(OSError, match="more than 1,000 bytes"):
        read_text(tmp_path / "vast", 1000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    assert read_bytes(tmp_path / "fits", 5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_bytes(tmp_path / "fits", 4)


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="only Linux has files that do not say their size")
def test_a_file_that_does_not_say_its_size_is_read_as_far_as_it_may():
    path = Path("/proc/version")
    content = path.read_bytes()
    assert path.stat().st_size == 0
    assert read_bytes(path, len(content)) == content
    with pytest.raises(OSError, match=f"more than {len(content) - 1} bytes"):
        read_bytes(path, len(content) - 1)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_json, "[" * 100_000),
        (parse_json, '{"a":' * 100_000),
        (parse_toml, "a = " + "[" * 100_000),
        (parse_toml, "a" + ".a" * 5000 + " = 1"),
        (parse_toml, "[a" + ".a" * 5000 + "]"),
    ],
)
def test_text_that_is_nested_without_end_is_no_recursion(parse, text):
    with pytest.raises(ValueError, match="nested too deep"):
        parse(text)


def test_text_that_is_nested_as_people_do_is_read():
    assert parse_toml("a = " + "[" * 50 + "]" * 50)["a"]
    assert parse_json('{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}


def test_a_pipe_in_the_place_of_a_file_is_to_be_moved_away(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log.jsonl")
    words = r"log\.jsonl: it is a pipe or a device.*\. .*move away what is there\."
    with pytest.raises(PathError, match=words), files.writing(tmp_path / "log.jsonl"):
        read_bytes(tmp_path / "log.jsonl")
