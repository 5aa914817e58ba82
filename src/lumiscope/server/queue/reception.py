"""From bytes that somebody sent to a submission in the queue."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from lumiscope.counts import thousands
from lumiscope.errors import UsageError
from lumiscope.printable import printable
from lumiscope.server.database import ChallengeRow, Score, Submission, Upload, User, in_edition
from lumiscope.server.queue._moves import begin, move
from lumiscope.server.queue._publishing import publish
from lumiscope.server.queue.challenges import challenge_row
from lumiscope.server.queue.quotas import QuotaError, quota_of
from lumiscope.server.queue.states import State

LONGEST_NAME, LONGEST_KEY = 200, 200


class KeyReusedError(UsageError):
    """The same idempotency key came with something else."""


@dataclass(frozen=True)
class HandedIn:
    """What was sent. `baseline`: its label, where the organiser sends it: it has no quota."""

    user: str
    challenge: str
    name: str
    content: bytes
    key: str | None
    baseline: str | None


def receive(session: Session, sent: HandedIn, now: datetime) -> Submission:
    """A new submission in the state `received`, or the one that this key has made before.

    Errors: `UnknownNameError` for a user or challenge, `UsageError` for a size or a key, `QuotaError`.
    """
    user, challenge = _locked_user(session, sent.user), challenge_row(session, sent.challenge)
    digest = hashlib.sha256(sent.content).hexdigest()
    _check(sent, challenge)
    before = _with_key(session, user, sent.key)
    if before is not None:
        if (before.digest, before.challenge_id) != (digest, challenge.id):
            raise KeyReusedError(f"the key {sent.key!r} was sent before, with submission {before.id}: take another key")
        return before
    if sent.baseline is None:
        _check_quota(session, user, challenge, digest, now)
    _keep(session, digest, sent.content, now)
    submission = Submission(
        user=user,
        challenge=challenge,
        digest=digest,
        challenge_fingerprint=challenge.fingerprint,
        name=printable(sent.name)[:LONGEST_NAME],
        key=sent.key,
        day=now.astimezone(UTC).date(),
        baseline=sent.baseline,
    )
    begin(session, submission, user.name, f"{thousands(len(sent.content))} bytes, SHA-256 {digest[:12]}…", now)
    return submission


def admit(session: Session, submission: Submission, who: str, why: str, now: datetime) -> None:
    """From `received` into the queue; straight to its score where the very bytes have one."""
    move(session, submission, State.VALIDATED, who, why, now)
    score = twin_score(session, submission.challenge, submission.digest)
    if score is not None:
        copy_score(session, submission, score, now)
    else:
        move(session, submission, State.QUEUED, "queue", "waits for a worker", now)


def twin_score(session: Session, challenge: ChallengeRow, digest: str) -> Score | None:
    """The score of the same bytes, by the scorer and the edition of the challenge that count now."""
    query = (
        select(Score)
        .join(Submission, Submission.id == Score.submission_id)
        .where(
            Submission.challenge_id == challenge.id,
            Submission.digest == digest,
            Submission.state == State.SCORED,
            *in_edition(Score, challenge),
        )
        .order_by(Score.id)
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def copy_score(session: Session, submission: Submission, score: Score, now: datetime) -> None:
    """Give a submission the score of another one of equal bytes."""
    kept = ("id", "submission_id", "created_at")
    values = {column.key: getattr(score, column.key) for column in Score.__table__.columns if column.key not in kept}
    copy = Score(**values, submission_id=submission.id, created_at=now)
    session.add(copy)
    submission.copied_from = score.submission_id
    why = f"the same bytes as submission {score.submission_id}, which has its score; not charged"
    move(session, submission, State.SCORED, "queue", why, now)
    session.flush()
    publish(session, submission, copy, now)


def _locked_user(session: Session, name: str) -> User:
    """Nobody else hands in as this user meanwhile, so that a quota is not used twice."""
    user = session.scalars(select(User).where(User.name == name).with_for_update(key_share=True)).one_or_none()
    if user is None or user.disabled_at is not None:
        raise UsageError(f"there is no user {name!r}, or not any more")
    return user


def _with_key(session: Session, user: User, key: str | None) -> Submission | None:
    if key is None:
        return None
    query = select(Submission).where(Submission.user_id == user.id, Submission.key == key)
    return session.scalars(query).one_or_none()


def _check(sent: HandedIn, challenge: ChallengeRow) -> None:
    size = len(sent.content)
    if not 0 < size <= challenge.upload_bytes:
        most = thousands(challenge.upload_bytes)
        raise UsageError(f"a hand-in to {challenge.name} has 1 to {most} bytes; got {thousands(size)}")
    key = sent.key
    if key is not None and (not 0 < len(key) <= LONGEST_KEY or key != printable(key)):
        raise UsageError(f"an idempotency key has 1 to {LONGEST_KEY} characters that can be read; got {key[:40]!r}")


def _check_quota(session: Session, user: User, challenge: ChallengeRow, digest: str, now: datetime) -> None:
    quota = quota_of(session, user.id, challenge, now.astimezone(UTC).date())
    if not (quota.left_for_copies if twin_score(session, challenge, digest) is not None else quota.left):
        raise QuotaError(quota)


def _keep(session: Session, digest: str, content: bytes, now: datetime) -> None:
    """The bytes, unless they are there, or somebody else hands them in at this moment."""
    if session.scalar(select(Upload.digest).where(Upload.digest == digest)) is not None:
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {"digest": digest, "size": len(content), "content": content, "created_at": now}
    session.execute(insert(Upload).values(values).on_conflict_do_nothing())
