"""Who works on what: claims, heartbeats, and giving back.

A claim has a number, which grows with every claim of a submission. A worker whose number is not the submission's has
lost it, and nothing that it says counts any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ScalarSelect, Select, delete, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import InstrumentedAttribute, Session

from lumiscope.errors import LumiscopeError
from lumiscope.server.database import ChallengeRow, Event, Submission, Upload, User, WorkerRow
from lumiscope.server.queue._moves import locked, move
from lumiscope.server.queue.states import State

LONGEST_LOG = 4_000
MOST = 2**31 - 1
AnySelect = TypeVar("AnySelect", bound=Select[Any])


class ClaimLostError(LumiscopeError):
    """Another worker has it by now, or its user cancelled it: whatever comes of it is not wanted."""


class WorkerOutdatedError(LumiscopeError):
    """All that waits is for another version of the scorer than this worker has."""


@dataclass(frozen=True)
class Claimed:
    """What a worker has to score, and with what edition of the challenge and the scorer. `claim`: its number."""

    submission_id: int
    claim: int
    attempt: int
    worker: str
    user: str
    challenge: str
    challenge_fingerprint: str
    scorer_version: int
    scorer_fingerprint: str
    name: str
    content: bytes
    digest: str


def next_submission(session: Session, scorer_version: int | None, per_user: int) -> Submission | None:
    """The first one of the user whose turn it is, locked; None where nobody waits. Errors: `WorkerOutdatedError`."""
    user = _next_user(session, scorer_version, per_user)
    submission = None if user is None else _first_of(session, user, scorer_version, per_user)
    if user is None or submission is None:
        _check_scorer(session, scorer_version)
        return None
    user.turn = (session.scalar(select(func.max(User.turn))) or 0) + 1
    return submission


def claim(session: Session, submission: Submission, worker: str, now: datetime) -> Claimed:
    """Give a submission of the queue to a worker."""
    challenge = submission.challenge
    submission.claim += 1
    submission.attempt += 1
    submission.done = submission.total = 0
    submission.worker, submission.beat_at = worker, now
    why = f"attempt {submission.attempt}"
    if submission.challenge_fingerprint != challenge.fingerprint:
        why += "; the challenge was changed since it was handed in: scored as it is now"
    move(session, submission, State.RUNNING, worker, why, now)
    return Claimed(
        submission_id=submission.id,
        claim=submission.claim,
        attempt=submission.attempt,
        worker=worker,
        user=submission.user.name,
        challenge=challenge.name,
        challenge_fingerprint=challenge.fingerprint,
        scorer_version=challenge.scorer_version,
        scorer_fingerprint=challenge.scorer_fingerprint,
        name=submission.name,
        content=session.scalars(select(Upload.content).where(Upload.digest == submission.digest)).one(),
        digest=submission.digest,
    )


def held(session: Session, claimed: Claimed) -> Submission:
    """The submission, locked. Errors: `ClaimLostError` where it is not this claim's any more."""
    submission = locked(session, claimed.submission_id)
    if submission.state != State.RUNNING or submission.claim != claimed.claim:
        state = f"it is {submission.state}, by claim {submission.claim}"
        raise ClaimLostError(f"submission {submission.id} was claim {claimed.claim} of {claimed.worker}: {state}")
    return submission


def beat(session: Session, claimed: Claimed, now: datetime, **changes: int | str) -> bool:
    """Say that the worker lives. False where it has lost the claim."""
    query = (
        update(Submission)
        .where(
            Submission.id == claimed.submission_id,
            Submission.claim == claimed.claim,
            Submission.state == State.RUNNING,
        )
        .values(beats=Submission.beats + 1, beat_at=now, **changes)
    )
    result = session.execute(query.execution_options(synchronize_session=False))
    return isinstance(result, CursorResult) and result.rowcount == 1


def tell_progress(session: Session, claimed: Claimed, done: int, total: int, log: str, now: datetime) -> bool:
    """A heartbeat that says how far it is; of these events the last one is kept."""
    done, total = (min(max(0, count), MOST) for count in (done, total))
    changes: dict[str, int | str] = {"done": done, "total": total}
    if log:
        changes["log_tail"] = log[-LONGEST_LOG:]
    if not beat(session, claimed, now, **changes):
        return False
    session.execute(delete(Event).where(Event.submission_id == claimed.submission_id, Event.kind == "progress"))
    data = {"done": done, "total": total}
    session.add(Event(submission_id=claimed.submission_id, at=now, kind="progress", data=data))
    return True


def give_back(session: Session, submission: Submission, who: str, why: str, now: datetime) -> None:
    """Back into the queue; the attempt does not count."""
    submission.attempt -= 1
    move(session, submission, State.QUEUED, who, why, now)


def failed_attempt(session: Session, submission: Submission, who: str, why: str, most: int, now: datetime) -> None:
    """Back into the queue, or `failed` after so many attempts."""
    if submission.attempt < most:
        move(session, submission, State.QUEUED, who, f"{why}; it is tried again", now)
    else:
        why = f"{why}; given up after {submission.attempt} attempts, not charged"
        move(session, submission, State.FAILED, who, why, now)


def note_worker(session: Session, worker: str, scorer_version: int | None, now: datetime) -> None:
    """That this worker asked for work."""
    session.merge(WorkerRow(name=worker, scorer_version=scorer_version, seen_at=now))


def _next_user(session: Session, scorer_version: int | None, per_user: int) -> User | None:
    """The one whose last turn is longest ago; locked, so that two workers serve two users."""
    waiting = _of_version(select(func.min(Submission.id)), scorer_version)
    first = waiting.where(Submission.user_id == User.id, Submission.state == State.QUEUED).scalar_subquery()
    query = select(User).where(first.is_not(None), _running(User.id) < per_user).order_by(User.turn, first).limit(1)
    query = query.with_for_update(of=User, skip_locked=True, key_share=True).execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()


def _first_of(session: Session, user: User, scorer_version: int | None, per_user: int) -> Submission | None:
    """Counted again now that the user is locked: what another worker took meanwhile is seen by this statement."""
    if (session.scalar(select(_running(user.id))) or 0) >= per_user:
        return None
    query = _of_version(select(Submission), scorer_version)
    query = query.where(Submission.user_id == user.id, Submission.state == State.QUEUED).order_by(Submission.id)
    query = query.limit(1).with_for_update(of=Submission, skip_locked=True, key_share=True)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def _running(user_id: InstrumentedAttribute[int] | int) -> ScalarSelect[int]:
    query = select(func.count()).where(Submission.user_id == user_id, Submission.state == State.RUNNING)
    return query.scalar_subquery()


def _of_version(query: AnySelect, scorer_version: int | None) -> AnySelect:
    if scorer_version is None:
        return query
    versions = select(ChallengeRow.id).where(ChallengeRow.scorer_version == scorer_version)
    return query.where(Submission.challenge_id.in_(versions))


def _check_scorer(session: Session, scorer_version: int | None) -> None:
    if scorer_version is None:
        return
    query = select(ChallengeRow.scorer_version).join(Submission, Submission.challenge_id == ChallengeRow.id)
    versions = set(session.scalars(query.where(Submission.state == State.QUEUED).distinct()))
    if versions and scorer_version not in versions:
        wanted = " and ".join(map(str, sorted(versions)))
        which = "older" if scorer_version < min(versions) else "newer"
        message = f"this worker has version {scorer_version} of the scorer, and what waits is for version {wanted}: "
        remedy = "update the worker" if which == "older" else "rescore the challenge, or use an older worker"
        raise WorkerOutdatedError(message + remedy)
