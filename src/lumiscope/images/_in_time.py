"""A bound on the time that one file may take: no file of a stranger may hang a run."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

from lumiscope.errors import ImageError

# Pictures as large as are read take seconds.
LONGEST = 60.0

Result = TypeVar("Result")


class _TooLong(Exception):
    """Raised in the thread that takes too long, when it next runs Python."""


def in_time(work: Callable[[], Result], remedy: str) -> Result:
    """Return what `work` returns, or raise what it raises, in a thread of its own.

    A decoder cannot be stopped from outside while it runs compiled code, so it is left behind where it takes too long,
    and ends when it next asks Python for more of the file, or with the process.
    Raises ImageError after `LONGEST` seconds. `remedy`: how such a file may be mended, for its message.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="decoding")
    thread.start()
    thread.join(LONGEST)
    if results:
        return results[0]
    if errors:
        raise errors[0]
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_TooLong))
    raise ImageError(f"not decoded within {LONGEST:g} seconds: {remedy}, or leave it out")
