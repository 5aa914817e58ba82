"""Stdout is for data. Whatever else prints there while a command works, such as a user's network, goes to stderr."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TextIO

_DATA: ContextVar[TextIO | None] = ContextVar("data", default=None)


def data_stream() -> TextIO:
    """Where data is printed: what was stdout before the command began."""
    return _DATA.get() or sys.stdout


def apart_from_prints(command: Callable[..., None]) -> Callable[..., None]:
    """The command, while which `print` goes to stderr; data goes to `data_stream`."""

    @functools.wraps(command)
    def run(**given: object) -> None:
        with _prints_to_stderr():
            command(**given)

    return run


@contextlib.contextmanager
def _prints_to_stderr() -> Iterator[None]:
    token = _DATA.set(sys.stdout)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _DATA.reset(token)


def give_data_a_handle() -> None:
    """Give `sys.stdout` a handle of its own, so that what prints to handle 1 below Python is heard on stderr, too.

    For a process that lumiscope owns; nothing happens where stdout is none of the system's. Without a stdout, data goes
    nowhere. Names that are no Unicode are shown as escapes.
    """
    given: TextIO | None = sys.stdout
    sys.stdout = stdout = given or open(os.devnull, "w")  # noqa: SIM115 - as long as the process
    if isinstance(stdout, io.TextIOWrapper):
        stdout.reconfigure(errors="backslashreplace")
    if given is not sys.__stdout__ or stdout.fileno() != 1:
        return
    stdout.flush()
    try:
        handle = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # no stderr
        return
    lines = 1 if os.isatty(handle) else -1
    sys.stdout = os.fdopen(handle, "w", lines, encoding=stdout.encoding, errors="backslashreplace")


def forget_unwritten_data() -> None:
    """After stdout has failed: what is left of it goes nowhere, so that the end of the process does not fail, too."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
