"""The one way in which a submission changes its state: a row, and an event for who follows it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lumiscope.counts import counted
from lumiscope.errors import UsageError
from lumiscope.server.database import Event, Submission, Transition
from lumiscope.server.queue.states import NEXT, State, TransitionError

LONGEST_WHY = 2_000


def locked(session: Session, submission_id: int) -> Submission:
    """The submission, which nobody else changes before this session ends. Errors: `UsageError` where there is none."""
    query = select(Submission).where(Submission.id == submission_id).with_for_update(of=Submission, key_share=True)
    submission = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if submission is None:
        raise UsageError(f"there is no submission number {submission_id}")
    return submission


def begin(session: Session, submission: Submission, who: str, why: str, at: datetime) -> None:
    """The first row of its time line."""
    submission.state = State.RECEIVED
    submission.state_at = submission.received_at = at
    session.add(submission)
    session.flush()
    _tell(session, submission, None, who, why, at)


def move(session: Session, submission: Submission, after: State, who: str, why: str, at: datetime) -> None:
    """Bring a locked submission to the state `after`. Errors: `TransitionError` where that cannot follow."""
    before = State(submission.state)
    if after not in NEXT[before]:
        known = "nothing" if before.is_final else ", ".join(sorted(NEXT[before]))
        raise TransitionError(f"submission {submission.id} is {before}: {known} can follow, not {after}")
    submission.state, submission.state_at = after, at
    if after is not State.RUNNING:
        submission.worker = submission.beat_at = None
    _tell(session, submission, before, who, why, at)


def _tell(session: Session, submission: Submission, before: State | None, who: str, why: str, at: datetime) -> None:
    why = why if len(why) <= LONGEST_WHY else why[:LONGEST_WHY] + f" … {counted(len(why), 'character')}"
    session.add(
        Transition(
            submission_id=submission.id,
            at=at,
            before=before,
            after=submission.state,
            who=who,
            why=why,
            attempt=submission.attempt,
        )
    )
    data = {"state": submission.state, "who": who, "why": why, "attempt": submission.attempt}
    session.add(Event(submission_id=submission.id, at=at, kind="state", data=data))
    session.flush()
