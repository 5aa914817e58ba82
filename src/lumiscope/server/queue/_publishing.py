"""Whether a score becomes what the leaderboard shows of its user."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from lumiscope.server.database import Publication, Score, Submission, User
from lumiscope.server.leaderboard import beats_noise, ranked_scores, release

EDITION = ("scorer_version", "scorer_fingerprint", "challenge_fingerprint")


def publish(session: Session, submission: Submission, score: Score, now: datetime) -> bool:
    """Publish it where it is the first of its user, or above the published one by more than noise.

    A baseline is always published: under its label stands the last one.
    """
    session.scalars(select(User.id).where(User.id == submission.user_id).with_for_update(key_share=True)).one()
    best = None if submission.baseline is not None else _best(session, submission)
    values = np.array(list(ranked_scores(score).values()))
    if best is not None and _same_edition(best, score):
        before = np.array(list(ranked_scores(best).values()))
        if not beats_noise(values, before):
            return False
    released = release(values, submission.challenge.secret)
    session.add(
        Publication(
            challenge_id=submission.challenge_id,
            user_id=submission.user_id,
            submission_id=submission.id,
            score_id=score.id,
            at=now,
            released=released.mean,
            low=released.low,
            high=released.high,
        )
    )
    return True


def _best(session: Session, submission: Submission) -> Score | None:
    query = (
        select(Score)
        .join(Publication, Publication.score_id == Score.id)
        .join(Submission, Submission.id == Publication.submission_id)
        .where(
            Publication.challenge_id == submission.challenge_id,
            Publication.user_id == submission.user_id,
            Submission.baseline.is_(None),
        )
        .order_by(Publication.id.desc())
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def _same_edition(first: Score, second: Score) -> bool:
    return all(getattr(first, part) == getattr(second, part) for part in EDITION)
