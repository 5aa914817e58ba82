"""The child: `python -m lumiscope.server.isolation.child`, started by `run_child` alone.

It reads two frames from its standard input: how it is to be held in, and what to do. Before it reads the second, where
the upload is, it has given up all that the first one says. It answers on what was its standard output, which from then
on is the log, like its standard error.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from lumiscope.errors import LumiscopeError
from lumiscope.server.isolation._frames import OUT_OF_MEMORY, BrokenFrameError, frame, read_frame
from lumiscope.server.isolation._installation import DEVICES, library_paths, machine_paths
from lumiscope.server.isolation._kernel import die_with_parent, machine, renounce_privileges
from lumiscope.server.isolation._landlock_rules import restrict_paths
from lumiscope.server.isolation._seccomp import install_filter
from lumiscope.server.isolation.limits import ChildLimits, lay_limits

_MOST_WORDS = 2000
# What libraries say in an error of another class.
_MEMORY_WORDS = ("can't allocate memory", "not enough memory", "std::bad_alloc", "Cannot allocate memory")


def main() -> None:
    """Be held in, do what is asked, answer, end."""
    orders, answers = _streams()
    try:
        settings, _ = read_frame(orders)
        confine(settings)
        request, parts = read_frame(orders)
    except BrokenFrameError:
        os._exit(1)  # the parent is gone
    try:
        pieces = frame(_answer(request, parts, answers))
        _flush_log()
        _send(answers, pieces)
        orders.read()  # until the parent has looked at what was used, and ends this process
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except OSError:
        os._exit(1)
    os._exit(0)


def confine(settings: Mapping[str, Any]) -> None:
    """Give up what `settings` says, for good. Errors: `OSError` where the system refuses, so that nothing is run."""
    layers = settings["layers"]
    lay_limits(ChildLimits(**settings["limits"]), settings["users_tasks"])
    if machine():
        die_with_parent()
        renounce_privileges()
    if "landlock" in layers:
        readable = [*library_paths(), *machine_paths(), *map(Path, settings["readable"])]
        restrict_paths(readable, DEVICES, Path(settings["scratch"]) if settings["scratch"] else None)
    if "seccomp" in layers:
        install_filter()


def _streams() -> tuple[IO[bytes], IO[bytes]]:
    """(orders, answers): the standard streams, taken away from whatever else would use them."""
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    faulthandler.enable(all_threads=False)
    return orders, answers


def _answer(request: dict[str, Any], parts: dict[str, bytes], answers: IO[bytes]) -> dict[str, Any]:
    """The frame that ends the child's work."""

    def progress(done: int, total: int) -> None:
        _send(answers, frame({"kind": "progress", "done": int(done), "total": int(total)}))

    try:
        result = _entry(request["entry"])(request["request"], parts, progress)
        frame({"result": result})
    except MemoryError:
        return {"kind": "error", "state": "out of memory", "error": "it asked for more memory than its limit"}
    except BaseException as error:  # an upload may make any reader raise anything, SystemExit, too
        with contextlib.suppress(Exception):
            traceback.print_exc()
        text = str(error)[:_MOST_WORDS]
        state = "out of memory" if any(words in text for words in _MEMORY_WORDS) else "failed"
        return {
            "kind": "error",
            "state": state,
            "error": text if isinstance(error, LumiscopeError) else f"{type(error).__name__}: {text}",
        }
    return {"kind": "result", "result": result}


def _entry(name: str) -> Callable[[dict[str, Any], dict[str, bytes], Callable[[int, int], None]], dict[str, Any]]:
    module, _, function = name.partition(":")
    entry: Callable[[dict[str, Any], dict[str, bytes], Callable[[int, int], None]], dict[str, Any]]
    entry = getattr(importlib.import_module(module), function)
    return entry


def _send(answers: IO[bytes], pieces: list[bytes]) -> None:
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            rest = rest[answers.write(rest) :]


def _flush_log() -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    main()
