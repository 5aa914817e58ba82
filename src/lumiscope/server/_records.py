"""What pages ask the database for, besides the queue."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select

from lumiscope.server.database import Database, Publication, Score, Submission
from lumiscope.server.queue import State


def counts_of_states(database: Database) -> Mapping[State, int]:
    """How many submissions are in each state."""
    with database.reading() as session:
        rows = session.execute(select(Submission.state, func.count()).group_by(Submission.state))
        return {State(state): count for state, count in rows}


def score_of(database: Database, submission: int) -> Score | None:
    """The last score of a submission."""
    query = select(Score).where(Score.submission_id == submission).order_by(Score.id.desc()).limit(1)
    with database.reading() as session:
        return session.scalars(query).one_or_none()


def released_of(database: Database, submission: int) -> float | None:
    """The mean of its hidden part as it was published; None where it was not, as it moved nothing."""
    query = select(Publication.released).where(Publication.submission_id == submission).order_by(Publication.id.desc())
    with database.reading() as session:
        return session.scalars(query.limit(1)).one_or_none()


def scored_by_user(database: Database) -> Mapping[int, int]:
    """User id -> how many scored submissions."""
    query = select(Submission.user_id, func.count()).where(Submission.state == State.SCORED)
    with database.reading() as session:
        return {row[0]: row[1] for row in session.execute(query.group_by(Submission.user_id))}
