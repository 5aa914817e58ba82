"""Do a piece of work in a child process that can do nothing else."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lumiscope.errors import UsageError
from lumiscope.server.isolation._exchange import Ending, Exchange
from lumiscope.server.isolation._frames import OUT_OF_MEMORY, frame
from lumiscope.server.isolation._installation import CHILD, environment, existing
from lumiscope.server.isolation._watch import Watch, users_tasks
from lumiscope.server.isolation.isolation import Isolation
from lumiscope.server.isolation.limits import ChildLimits
from lumiscope.server.isolation.result import ChildResult

_SIGNALS = {int(number): number.name for number in signal.Signals}
_BY_OTHERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def run_child(
    isolation: Isolation,
    entry: str,
    request: Mapping[str, Any],
    parts: Mapping[str, bytes],
    limits: ChildLimits,
    readable: Sequence[Path] = (),
    on_progress: Callable[[int, int], object] = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> ChildResult:
    """Call `entry`, "module:function", in a child: `function(request, parts, progress) -> dict`.

    `request`, the result: JSON objects. `parts`: name -> bytes, handed over by a pipe, as truth must be. `progress`:
    (done, total). `readable`: files and folders, with all beneath, that the child may read besides the installation
    (models, pictures; never a folder that holds truth). Modules in a readable folder of `sys.path` can be imported.
    `stopped`: asked every tenth of a second; True ends the child as "killed". An error of `on_progress` ends it too,
    and is raised. However this function is left, nothing that the child started is left with it.
    Errors: `UsageError` for a path that does not exist; whatever the child does is a `ChildResult`.
    """
    missing = [str(path) for path in readable if not Path(path).exists()]
    if missing:
        raise UsageError(f"a child was to read {', '.join(missing)}: expected a file or folder, there is none")
    readable = existing(readable)
    with _scratch_folder(isolation, limits) as scratch:
        inside = str(scratch) if scratch is not None else isolation.scratch_inside if limits.file_bytes else ""
        order = [*frame(_settings(isolation, limits, readable, inside))]
        order += frame({"entry": entry, "request": dict(request)}, parts)
        command = isolation.command([sys.executable, *CHILD], readable, int(limits.file_bytes))
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=environment(readable, inside, int(limits.processes)),
            start_new_session=True,
        )
        watch = Watch(process.pid)
        exchange = Exchange(process, order, limits, watch, scratch, on_progress, stopped)
        try:
            ending = exchange.run()
        finally:
            watch.kill()
            status, cpu_seconds = _reap(process)
    log_tail = exchange.log_tail.decode(errors="replace")
    cpu_seconds = max(cpu_seconds, exchange.peak.cpu_seconds)
    ending = ending or _ending_without_answer(status, cpu_seconds >= limits.cpu_seconds, limits, log_tail)
    return ChildResult(ending.state, ending.result, ending.error, cpu_seconds, exchange.peak.peak_bytes, log_tail)


def _settings(isolation: Isolation, limits: ChildLimits, readable: Sequence[Path], scratch: str) -> dict[str, Any]:
    """How the child is to hold itself in."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    tasks = users_tasks(user)
    return {
        "layers": list(isolation.layers),
        "limits": limits.to_json(),
        "readable": [str(path) for path in readable],
        "scratch": scratch,
        # The kernel counts all that the user runs, so what is there already is added.
        "users_tasks": None if tasks is None else tasks + int(limits.processes),
    }


@contextlib.contextmanager
def _scratch_folder(isolation: Isolation, limits: ChildLimits) -> Iterator[Path | None]:
    """A new folder that goes with its files; None where the child may not write, or has a place of its own for it."""
    if not limits.file_bytes or isolation.scratch_inside:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="lumiscope-child-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reap(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """(exit code or minus the signal, CPU seconds) of a child that has ended."""
    for stream in (process.stdin, process.stdout, process.stderr):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def _ending_without_answer(status: int, used_up: bool, limits: ChildLimits, log_tail: str) -> Ending:
    number = -status if status < 0 else status - 128 if status > 128 else 0  # 128 + signal: bubblewrap's way to say it
    last_words = log_tail.strip().rpartition("\n")[2][:200]
    if number == signal.SIGXCPU or (number == signal.SIGKILL and used_up):
        return Ending("out of time", f"it used more than {limits.cpu_seconds:g} seconds of the processor")
    if status == OUT_OF_MEMORY or (number == signal.SIGABRT and "bad_alloc" in log_tail):
        return Ending("out of memory", f"it asked for more than {limits.memory_bytes / 2**20:.0f} MiB of memory")
    if number in _BY_OTHERS:
        words = f"it was ended from outside by {_SIGNALS[number]}; the system does so where memory runs short"
        return Ending("killed", words)
    if number in _SIGNALS:
        return Ending("failed", f"it crashed: {_SIGNALS[number]} ({signal.strsignal(number)})")
    said = f"; its last words: {last_words}" if last_words else ""
    return Ending("failed", f"it ended without an answer, with exit code {status}{said}")
