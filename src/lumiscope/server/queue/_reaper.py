"""What a worker that is gone has left behind goes back into the queue.

Whether it is gone is told by its heartbeats alone: they are counted, and a count that has stood still for the length of
a lease is that of a dead worker. No clock of another machine is asked, and none that may jump. Time in which nobody
could write to the database is not counted: the worker could not either.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lumiscope.server.database import Clock, Database, Submission
from lumiscope.server.queue._moves import locked
from lumiscope.server.queue.claims import failed_attempt
from lumiscope.server.queue.reception import admit
from lumiscope.server.queue.states import State

WATCHED = (State.RECEIVED, State.VALIDATED, State.RUNNING)
Mark = tuple[str, int, int]


@dataclass
class _Watched:
    """`mark`: state, claim, beats. `still`: seconds in which it has not changed."""

    mark: Mark
    still: float = 0.0


class Reaper:
    """Looks at what is under way again and again. `lease_seconds`: how long a worker may be silent.

    `reception_seconds`: how long something may stay `received`, such as when the server is killed while it looks at it;
    then it is queued, and the worker finds out what is wrong with it.
    """

    def __init__(
        self, database: Database, clock: Clock, lease_seconds: float, reception_seconds: float, most_attempts: int
    ) -> None:
        self._database, self._clock, self._most_attempts = database, clock, most_attempts
        self._lease_seconds = lease_seconds
        self._patience = dict.fromkeys(WATCHED, reception_seconds) | {State.RUNNING: lease_seconds}
        self._watched: dict[int, _Watched] = {}
        self._looked_at: float | None = None

    def reap(self) -> list[int]:
        """Look once; return the numbers of what was put back, given up or queued.

        Errors: `DatabaseBusyError`, `StoreError`: the next look counts from itself on.
        """
        elapsed, self._looked_at = self._elapsed(), None
        with self._database.writing() as session:  # who gets this lock could have sent a heartbeat
            silent = self._look(session, elapsed)
        moved = [number for number in silent if self._put_back(number, self._watched[number].mark)]
        self._looked_at = self._clock.monotonic()
        return moved

    def _elapsed(self) -> float:
        """Since the last look; of a long pause only so much that two looks at least are in every lease."""
        if self._looked_at is None:
            return 0.0
        return min(self._clock.monotonic() - self._looked_at, self._lease_seconds / 2)

    def _look(self, session: Session, elapsed: float) -> list[int]:
        query = select(Submission.id, Submission.state, Submission.claim, Submission.beats)
        seen: dict[int, _Watched] = {}
        for number, state, claim, beats in session.execute(query.where(Submission.state.in_(WATCHED))):
            mark = (state, claim, beats)
            before = self._watched.get(number)
            still = before.still + elapsed if before is not None and before.mark == mark else 0.0
            seen[number] = _Watched(mark, still)
        self._watched = seen
        return [number for number, it in seen.items() if it.still >= self._patience[State(it.mark[0])]]

    def _put_back(self, number: int, mark: Mark) -> bool:
        with self._database.writing() as session:
            submission = locked(session, number)
            if (submission.state, submission.claim, submission.beats) != mark:
                return False
            now = self._clock.now()
            if submission.state == State.RUNNING:
                why = f"{submission.worker} was silent for {self._lease_seconds:g} s"
                failed_attempt(session, submission, "reaper", why, self._most_attempts, now)
            else:
                admit(session, submission, "reaper", "nobody went on with it", now)
        return True
