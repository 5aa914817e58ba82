"""Locks on open files: held by a process for as long as it lives, and by none that is gone.

The system releases them, so nobody needs to find out whether an owner is still alive. They are advice: they bind who
asks for them.
"""

from __future__ import annotations

import errno
import os
from typing import Any

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt as _msvcrt
except ImportError:  # only there
    _msvcrt = None  # type: ignore[assignment]
msvcrt: Any = _msvcrt

BEHIND = 2**30  # the byte that is locked on Windows, where nobody else reads what is locked: behind all content
TAKEN = (errno.EACCES, errno.EDEADLK, 36)  # 36: EDEADLOCK of Windows, after ten seconds


def lock_file(handle: int, *, wait: bool = False) -> bool:
    """Take the lock on an open file. False where another holds it; `wait`: until it is free.

    Errors: `OSError` where the file system, or the platform, has no locks.
    """
    if fcntl is None and msvcrt is None:
        raise OSError(errno.ENOTSUP, "this platform has no locks on files")
    if fcntl is None:
        return _lock_on_windows(handle, wait=wait)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _lock_on_windows(handle: int, *, wait: bool) -> bool:
    position = os.lseek(handle, 0, os.SEEK_CUR)
    os.lseek(handle, BEHIND, os.SEEK_SET)
    try:
        while True:
            try:
                msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
                return True
            except OSError as error:
                if error.errno not in TAKEN:
                    raise
            if not wait:
                return False
    finally:
        os.lseek(handle, position, os.SEEK_SET)


def is_unlinked(handle: int) -> bool:
    """Whether an open file has no name any more."""
    return os.fstat(handle).st_nlink == 0
