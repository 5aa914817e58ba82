"""Where a submission stands in the queue, and how long that may take."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from lumiscope.server.database import Submission, Transition, User, WorkerRow
from lumiscope.server.queue.states import UNDER_WAY, State

RECENT = 50  # durations that count
WEIGHT = 0.2  # of the newest duration in the mean
WORKER_SEEN = timedelta(seconds=60)


@dataclass(frozen=True)
class Step:
    """One row of a time line: what it became, when, who did it, why."""

    state: State
    at: datetime
    who: str
    why: str
    attempt: int


@dataclass(frozen=True)
class Timeline:
    """`position`: in the queue, from 1 on; None where it does not wait. `expected_wait`: seconds; None: not known."""

    steps: tuple[Step, ...]
    position: int | None
    expected_wait: float | None
    done: int
    total: int


def steps_of(session: Session, submission_id: int) -> tuple[Step, ...]:
    """All transitions, the first one first."""
    query = select(Transition).where(Transition.submission_id == submission_id).order_by(Transition.id)
    return tuple(Step(State(row.after), row.at, row.who, row.why, row.attempt) for row in session.scalars(query))


def position_of(session: Session, submission: Submission) -> int | None:
    """From 1 on; None unless it is queued.

    Users take turns: of its own user's, those before it come first, r of them; of another user's who is served before
    its own one, as many as r + 1; of one who is served after it, as many as r.
    """
    if submission.state != State.QUEUED:
        return None
    query = select(Submission.id, Submission.user_id, User.turn).join(User, User.id == Submission.user_id)
    waiting: dict[int, list[int]] = defaultdict(list)
    turns: dict[int, tuple[int, int]] = {}
    for number, user_id, turn in session.execute(query.where(Submission.state == State.QUEUED).order_by(Submission.id)):
        waiting[user_id].append(number)
        turns.setdefault(user_id, (turn, number))
    mine = submission.user_id
    if submission.id not in waiting[mine]:
        return None
    rank = waiting[mine].index(submission.id)
    others = (
        min(len(numbers), rank + (turns[user_id] < turns[mine]))
        for user_id, numbers in waiting.items()
        if user_id != mine
    )
    return rank + 1 + sum(others)


def expected_wait(session: Session, position: int | None, now: datetime) -> float | None:
    """Seconds until a worker takes what is at this position: so many durations, shared by the workers that are there.

    The duration is the exponentially weighted mean of the last 50 from `running` to a verdict.
    """
    durations = [] if position is None else _durations(session)
    if position is None or not durations:
        return None
    mean = durations[0]
    for duration in durations[1:]:
        mean += WEIGHT * (duration - mean)
    seen = select(func.count()).select_from(WorkerRow).where(WorkerRow.seen_at >= now - WORKER_SEEN)
    return mean * position / max(1, session.scalar(seen) or 0)


def oldest_seconds(session: Session, now: datetime) -> dict[State, float]:
    """For how long the oldest one of each state that is not final has been in it; 0.0 where there is none."""
    query = select(Submission.state, func.min(Submission.state_at)).where(Submission.state.in_(UNDER_WAY))
    ages = dict.fromkeys(UNDER_WAY, 0.0)
    for state, since in session.execute(query.group_by(Submission.state)):
        ages[State(state)] = max(0.0, (now - since).total_seconds())
    return ages


def _durations(session: Session) -> list[float]:
    """The last ones in seconds, the oldest first. A clock that went back gives none."""
    end, start = aliased(Transition), aliased(Transition)
    newest = (
        select(func.max(start.id))
        .where(start.submission_id == end.submission_id, start.after == State.RUNNING, start.id < end.id)
        .correlate(end)
        .scalar_subquery()
    )
    query = (
        select(end.at, start.at)
        .join(start, start.id == newest)
        .where(end.before == State.RUNNING, end.after.in_((State.SCORED, State.REJECTED)))
        .order_by(end.id.desc())
        .limit(RECENT)
    )
    spans = [(ended - started).total_seconds() for ended, started in session.execute(query)]
    return [span for span in reversed(spans) if span >= 0]
