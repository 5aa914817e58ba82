"""Locks on open files: held by a process for as long as it lives, and by none that is gone.

The system releases them, so nobody needs to find out whether an owner is still alive. They are advice: they bind who
asks for them.
"""

from __future__ import annotations

import errno
import os

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]


def lock_file(handle: int, *, wait: bool = False) -> bool:
    """Take the lock on an open file. False where another holds it; `wait`: until it is free.

    Errors: `OSError` where the file system, or the platform, has no locks.
    """
    if fcntl is None:
        raise OSError(errno.ENOTSUP, "this platform has no locks on files")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def is_unlinked(handle: int) -> bool:
    """Whether an open file has no name any more."""
    return os.fstat(handle).st_nlink == 0
