"""Locks where the platform has not those of POSIX."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace

import pytest

from lumiscope import file_lock


def windows(answers):
    """A `msvcrt` whose `locking` raises the next of `answers`, and takes the lock at None."""
    calls = []

    def locking(handle, mode, count):
        calls.append((mode, os.lseek(handle, 0, os.SEEK_CUR), count))
        if (answer := answers.pop(0)) is not None:
            raise OSError(answer, "locked")

    return SimpleNamespace(LK_LOCK="wait", LK_NBLCK="try", locking=locking, calls=calls)


@pytest.fixture
def handle(tmp_path, monkeypatch):
    monkeypatch.setattr(file_lock, "fcntl", None)
    opened = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    os.write(opened, b"owner")
    yield opened
    os.close(opened)


def test_windows_locks_a_byte_behind_the_content(handle, monkeypatch) -> None:
    system = windows([None, errno.EACCES, 36, 36, None])
    monkeypatch.setattr(file_lock, "msvcrt", system)
    assert file_lock.lock_file(handle)
    assert not file_lock.lock_file(handle)
    assert file_lock.lock_file(handle, wait=True)
    assert system.calls == [(mode, 2**30, 1) for mode in ("try", "try", "wait", "wait", "wait")]
    assert os.lseek(handle, 0, os.SEEK_CUR) == 5


def test_other_failures_and_no_locks_at_all_are_errors(handle, monkeypatch) -> None:
    monkeypatch.setattr(file_lock, "msvcrt", windows([errno.EINVAL]))
    with pytest.raises(OSError, match="locked"):
        file_lock.lock_file(handle)
    monkeypatch.setattr(file_lock, "msvcrt", None)
    with pytest.raises(OSError, match="this platform has no locks on files"):
        file_lock.lock_file(handle)
