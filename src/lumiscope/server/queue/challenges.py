"""What the queue is told of a challenge, and when it has changed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.server.database import ChallengeRow, Clock, Database

SECRET_BYTES = 32


@dataclass(frozen=True)
class ChallengeFacts:
    """`public`, `hidden`: names of images, all different. `fingerprint`: of all that matters for scores.

    `scorer_version`, `scorer_fingerprint`: of the scorer that its scores are by. The limits are those of one user on
    one day (UTC).
    """

    name: str
    title: str
    fingerprint: str
    scorer_version: int
    scorer_fingerprint: str
    public: tuple[str, ...]
    hidden: tuple[str, ...]
    scored_a_day: int = 10
    rejected_a_day: int = 50
    upload_bytes: int = 64 * 2**20

    def __post_init__(self) -> None:
        names = self.public + self.hidden
        if not names or len(set(names)) != len(names):
            came = ", ".join(names) or "none"
            raise UsageError(f"challenge {self.name}: expected images with different names; got {came}")
        if min(self.scored_a_day, self.rejected_a_day, self.upload_bytes) < 1:
            raise UsageError(f"challenge {self.name}: limits are 1 or more")


def register(database: Database, clock: Clock, facts: ChallengeFacts) -> ChallengeRow:
    """Tell the database of a challenge, or of what has changed in it. Its secret stays."""
    with database.writing() as session:
        query = select(ChallengeRow).where(ChallengeRow.name == facts.name).with_for_update(key_share=True)
        row = session.scalars(query).one_or_none()
        if row is None:
            row = ChallengeRow(name=facts.name, secret=secrets.token_bytes(SECRET_BYTES))
            session.add(row)
        for field in ("title", "fingerprint", "scorer_version", "scorer_fingerprint"):
            setattr(row, field, getattr(facts, field))
        for field in ("scored_a_day", "rejected_a_day", "upload_bytes"):
            setattr(row, field, getattr(facts, field))
        row.public, row.hidden, row.updated_at = list(facts.public), list(facts.hidden), clock.now()
        session.flush()
        return row


def challenge_row(session: Session, name: str) -> ChallengeRow:
    """The row of this name. Errors: `UnknownNameError`."""
    row = session.scalars(select(ChallengeRow).where(ChallengeRow.name == name)).one_or_none()
    if row is None:
        raise UnknownNameError("challenge", name, session.scalars(select(ChallengeRow.name)))
    return row


def challenge_rows(database: Database) -> Sequence[ChallengeRow]:
    """All challenges, by name."""
    with database.reading() as session:
        return session.scalars(select(ChallengeRow).order_by(ChallengeRow.name)).all()
