"""The parent's side of a running child: the order goes in, frames and the log come out, and limits are watched."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import IO, Any

from lumiscope.server.isolation._frames import BrokenFrameError, FrameReader
from lumiscope.server.isolation._watch import Usage, Watch, folder_bytes
from lumiscope.server.isolation.limits import ChildLimits
from lumiscope.server.isolation.result import State

_TICK_SECONDS = 0.1
_PIECE_BYTES = 1 << 16
_LOG_TAIL_BYTES = 16 * 1024
_STATES: tuple[State, ...] = ("failed", "out of memory")
_MOST_WORDS = 4000


@dataclass(frozen=True)
class Ending:
    """Why the parent stops listening. `result`: for "done" alone."""

    state: State
    error: str
    result: dict[str, Any] | None = None


class Exchange:
    """Everything that passes between the parent and one child. `ending` is None while the child may go on."""

    def __init__(
        self,
        process: Popen[bytes],
        order: Sequence[bytes],
        limits: ChildLimits,
        watch: Watch,
        scratch: Path | None,
        on_progress: Callable[[int, int], object],
        stopped: Callable[[], bool],
    ) -> None:
        self.ending: Ending | None = None
        self.log_tail = b""
        self.peak = Usage()
        self._process, self._limits, self._watch, self._scratch = process, limits, watch, scratch
        self._order = [memoryview(piece) for piece in order if piece]
        self._on_progress, self._stopped = on_progress, stopped
        self._frames = FrameReader(limits.answer_bytes)
        self._log_bytes = 0
        self._deadline = time.monotonic() + limits.wall_seconds
        self._next_look = 0.0
        self._selector = selectors.DefaultSelector()

    def run(self) -> Ending | None:
        """Until the child answers, breaks a limit or ends; None where it ended without an answer."""
        with self._selector:
            for stream, does in self._streams():
                os.set_blocking(stream.fileno(), False)
                event = selectors.EVENT_WRITE if does == self._write else selectors.EVENT_READ
                self._selector.register(stream, event, does)
            while self.ending is None:
                exited = self._exited()
                self._look()
                for key, _ in self._selector.select(0 if exited else self._patience()):
                    key.data(key.fileobj)
                if exited:
                    self._drain()
                    break
        return self.ending

    def _streams(self) -> list[tuple[IO[bytes], Callable[[IO[bytes]], bool]]]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        return [(process.stdin, self._write), (process.stdout, self._read_answers), (process.stderr, self._read_log)]

    def _patience(self) -> float:
        """Seconds to wait for the child; few once it has closed its answers, which is how it ends."""
        assert self._process.stdout is not None
        return _TICK_SECONDS if self._process.stdout in self._selector.get_map() else _TICK_SECONDS / 10

    def _exited(self) -> bool:
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, options) is not None

    def _drain(self) -> None:
        """Read what an ended child left in its pipes; what it started may hold them open, and is not waited for."""
        for stream, does in self._streams()[1:]:
            while self.ending is None and stream in self._selector.get_map() and does(stream):
                pass

    def _look(self) -> None:
        """Every tick: is anything beyond its limit?"""
        now = time.monotonic()
        if now >= self._next_look and self.ending is None:
            self._next_look = now + _TICK_SECONDS
            self.look_at_usage()
            self.ending = self._broken_limit(now)

    def look_at_usage(self) -> Usage:
        """What the child uses now; `peak` keeps the highest."""
        usage = self._watch.usage()
        peak = self.peak
        self.peak = Usage(
            max(peak.tasks, usage.tasks),
            max(peak.memory_bytes, usage.memory_bytes),
            max(peak.peak_bytes, usage.peak_bytes),
            max(peak.cpu_seconds, usage.cpu_seconds),
        )
        return usage

    def _broken_limit(self, now: float) -> Ending | None:
        limits, usage = self._limits, self.peak
        if self._stopped():
            return Ending("killed", "the server stopped it")
        if now >= self._deadline:
            return Ending("out of time", f"it was not done after {limits.wall_seconds:g} seconds")
        if usage.cpu_seconds > limits.cpu_seconds:
            return Ending("out of time", f"it used more than {limits.cpu_seconds:g} seconds of the processor")
        if usage.tasks > limits.processes:
            return Ending("killed", f"it ran more than {limits.processes:g} processes and threads at once")
        if usage.memory_bytes > limits.memory_bytes:
            return Ending("out of memory", f"it used more than {limits.memory_bytes / 2**20:.0f} MiB of memory")
        if self._scratch is not None and self._scratch_bytes(self._scratch) > limits.file_bytes:
            return Ending("too much output", f"its files took more than {limits.file_bytes:g} bytes")
        return None

    def _scratch_bytes(self, scratch: Path) -> int:
        return folder_bytes(scratch) + self._watch.open_deleted_bytes(scratch.stat().st_dev)

    def _write(self, stream: IO[bytes]) -> bool:
        try:
            written = os.write(stream.fileno(), self._order[0][:_PIECE_BYTES])
        except BlockingIOError:
            return False
        except OSError:  # it closed its end: how it ended will say why
            self._selector.unregister(stream)
            return False
        self._order[0] = self._order[0][written:]
        if not self._order[0]:
            del self._order[0]
        if not self._order:
            self._selector.unregister(stream)
        return True

    def _read_answers(self, stream: IO[bytes]) -> bool:
        piece = self._read(stream)
        try:
            for answer in self._frames.feed(piece):
                self._take(answer)
                if self.ending is not None:
                    break
        except OverflowError:
            self.ending = Ending("too much output", f"it answered more than {self._limits.answer_bytes:g} bytes")
        except BrokenFrameError as error:
            self.ending = Ending("failed", f"its answer cannot be read: {error}")
        return bool(piece)

    def _read_log(self, stream: IO[bytes]) -> bool:
        piece = self._read(stream)
        self._log_bytes += len(piece)
        self.log_tail = (self.log_tail + piece)[-_LOG_TAIL_BYTES:]
        if self._log_bytes > self._limits.log_bytes:
            self.ending = Ending("too much output", f"it printed more than {self._limits.log_bytes:g} bytes")
        return bool(piece)

    def _read(self, stream: IO[bytes]) -> bytes:
        """What has come, b"" where nothing has; at the end of a stream it is listened to no more."""
        try:
            piece = os.read(stream.fileno(), _PIECE_BYTES)
        except BlockingIOError:
            return b""
        if not piece:
            self._selector.unregister(stream)
        return piece

    def _take(self, answer: dict[str, Any]) -> None:
        """One frame of the child. Errors: `BrokenFrameError` for what is none of the three kinds."""
        kind = answer.get("kind")
        if kind == "progress" and _is_progress(answer.get("done"), answer.get("total")):
            self._on_progress(answer["done"], answer["total"])
        elif kind == "result" and isinstance(answer.get("result"), dict):
            self.look_at_usage()
            self.ending = Ending("done", "", answer["result"])
        elif kind == "error" and answer.get("state") in _STATES and isinstance(answer.get("error"), str):
            self.look_at_usage()
            self.ending = Ending(answer["state"], answer["error"][:_MOST_WORDS])
        else:
            raise BrokenFrameError("expected progress, a result or an error")


def _is_progress(done: object, total: object) -> bool:
    return type(done) is int and type(total) is int and 0 <= done <= total < 2**53
