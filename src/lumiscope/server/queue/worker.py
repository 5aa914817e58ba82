"""A worker: takes what waits, has it scored, says what came of it, until it is told to stop."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from lumiscope.errors import StoreError
from lumiscope.server.queue.claims import Claimed, ClaimLostError, WorkerOutdatedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lumiscope.server.queue.queue import Queue

LOG = logging.getLogger("lumiscope.server.worker")
POLL_SECONDS = 0.5
BEATS_A_LEASE = 6
LOOKS_A_LEASE = 6
LONGEST_SECONDS = 3600.0


class Pulse(Protocol):
    """What a scoring calls as it goes on."""

    def __call__(self, done: int = 0, total: int = 0, log: str = "") -> bool:
        """Say how far it is. False: nobody wants the result any more, so stop and return None."""
        ...


Run = Callable[[Claimed, Pulse], Mapping[str, Any] | None]
"""Scores a submission; returns its verdict (see `Queue.finish`), or None where it was broken off. What it raises is the
server's fault: the submission is tried again."""


class Worker:
    """One scoring at a time. Any number of these, anywhere where the database can be reached.

    `scorer_version`: of the scorer that `run` has. `longest_seconds`: after which a scoring counts as hanging: its
    heartbeat ends, and another worker gets it.
    """

    def __init__(
        self,
        queue: Queue,
        run: Run,
        *,
        name: str = "",
        scorer_version: int | None = None,
        poll_seconds: float = POLL_SECONDS,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._queue, self._run, self._scorer_version = queue, run, scorer_version
        self.name = name or f"{socket.gethostname()}/{os.getpid()}"
        self._poll_seconds, self._longest_seconds = poll_seconds, longest_seconds
        self._reaped_at = -1e18

    def run_forever(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what is being scored then is given back. A database that is gone is waited for."""
        while not stop.is_set():
            worked = False
            try:
                self._reap()
                worked = self.step(stop)
            except WorkerOutdatedError as error:
                LOG.warning("%s: %s", self.name, error)
                stop.wait(self._queue.lease_seconds)
            except StoreError as error:
                LOG.warning("%s: %s", self.name, error)
            if not worked:
                stop.wait(self._poll_seconds)

    def step(self, stop: threading.Event) -> bool:
        """Take one submission and bring it to its end. False where nobody waits. Errors: `StoreError`."""
        claimed = self._queue.claim(self.name, self._scorer_version)
        if claimed is None:
            return False
        with self._beating(claimed, stop) as wanted:
            conclude = self._scored(claimed, stop, wanted)
            self._insist(claimed, stop, wanted, conclude)
        return True

    def _scored(self, claimed: Claimed, stop: threading.Event, wanted: threading.Event) -> Callable[[], object]:
        """Have it scored; what the queue is to be told."""

        def pulse(done: int = 0, total: int = 0, log: str = "") -> bool:
            try:
                if (total or log) and not self._queue.progress(claimed, done, total, log):
                    wanted.clear()
            except StoreError as error:  # the heart beats on its own
                LOG.warning("%s: %s", self.name, error)
            return wanted.is_set() and not stop.is_set()

        try:
            verdict = self._run(claimed, pulse)
        except Exception as error:  # whatever it is: the queue must hear of it
            LOG.exception("%s: submission %d", self.name, claimed.submission_id)
            why = f"{type(error).__name__}: {error}"
            return lambda: self._queue.fail(claimed, why)
        if verdict is not None:
            return lambda: self._queue.finish(claimed, verdict)
        if stop.is_set():
            return lambda: self._queue.give_back(claimed)
        return lambda: self._queue.fail(claimed, "it was broken off")

    def _insist(
        self, claimed: Claimed, stop: threading.Event, wanted: threading.Event, conclude: Callable[[], object]
    ) -> None:
        """Tell the queue, again and again where the database is locked, full or gone, for as long as it is wanted."""
        while wanted.is_set():
            try:
                conclude()
            except ClaimLostError as error:
                LOG.info("%s", error)
            except StoreError as error:
                LOG.warning("%s: submission %d is done but not told: %s", self.name, claimed.submission_id, error)
                if not stop.wait(self._poll_seconds):
                    continue
            return

    @contextmanager
    def _beating(self, claimed: Claimed, stop: threading.Event) -> Iterator[threading.Event]:
        """Beat from a thread for as long as this lasts. Gives an event that is set for as long as it is wanted."""
        wanted, ended = threading.Event(), threading.Event()
        wanted.set()
        interval, clock = self._queue.lease_seconds / BEATS_A_LEASE, self._queue.clock
        latest = clock.monotonic() + self._longest_seconds

        def beat() -> None:
            while not ended.wait(interval) and wanted.is_set():
                if clock.monotonic() > latest:
                    LOG.error("%s: submission %d takes too long", self.name, claimed.submission_id)
                    wanted.clear()
                    return
                try:
                    if not self._queue.heartbeat(claimed):
                        wanted.clear()
                except StoreError as error:
                    LOG.warning("%s: %s", self.name, error)

        thread = threading.Thread(target=beat, name=f"beat {claimed.submission_id}", daemon=True)
        thread.start()
        try:
            yield wanted
        finally:
            ended.set()
            thread.join()

    def _reap(self) -> None:
        """Now and then: every worker looks after the others."""
        now = self._queue.clock.monotonic()
        if now - self._reaped_at >= self._queue.lease_seconds / LOOKS_A_LEASE:
            self._reaped_at = now
            self._queue.reap()
