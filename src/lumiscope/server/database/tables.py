"""The tables. `submissions.state` is the truth; everything else can be told from it and from `transitions`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, MetaData, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from lumiscope.server.database._column_types import CleanText, UtcTime

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Of constraints: both databases must know them by the same name, so that a migration can take one away."""

Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows of INTEGER keys alone


class Base(DeclarativeBase):
    """All tables."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: UtcTime, str: CleanText, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


class User(Base):
    """Who hands in. `turn`: the number of the turn at which a worker last took something of theirs; 0: never."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    turn: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Token(Base):
    """A key of a user. `digest`: SHA-256 of it, in hexadecimal; `start`: its first characters, to tell keys apart."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    start: Mapped[str]
    scopes: Mapped[list[Any]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    user: Mapped[User] = relationship(lazy="joined")


class ChallengeRow(Base):
    """What the queue has to know of a challenge. `public`, `hidden`: names of images. `secret`: draws releases."""

    __tablename__ = "challenges"
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    fingerprint: Mapped[str]
    scorer_version: Mapped[int]
    scorer_fingerprint: Mapped[str]
    public: Mapped[list[Any]]
    hidden: Mapped[list[Any]]
    scored_a_day: Mapped[int]
    rejected_a_day: Mapped[int]
    upload_bytes: Mapped[int] = mapped_column(BigInteger)
    secret: Mapped[bytes]
    updated_at: Mapped[datetime]


class Upload(Base):
    """The bytes of a hand-in, once each. `digest`: their SHA-256, in hexadecimal."""

    __tablename__ = "uploads"
    digest: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class Submission(Base):
    """Something handed in, and how far it has come.

    `key`: the sender's, for handing in once though asked twice. `day`: UTC day whose quota it may count for.
    `attempt`: how often it was begun in earnest. `claim`: how often a worker got it: a worker with an older number has
    lost it. `beats`: heartbeats of all claims; `beat_at`: the last. `copied_from`: the submission of equal bytes whose
    score this one got. `baseline`: its label, where it is one of the organiser's. `chosen`: for the final ranking.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index(None, "state", "user_id"),
        Index(None, "challenge_id", "digest"),
    )
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    challenge_id: Mapped[int] = mapped_column(ForeignKey("challenges.id"))
    digest: Mapped[str] = mapped_column(ForeignKey("uploads.digest"))
    challenge_fingerprint: Mapped[str]
    name: Mapped[str]
    key: Mapped[str | None]
    day: Mapped[date] = mapped_column(index=True)
    state: Mapped[str]
    state_at: Mapped[datetime]
    received_at: Mapped[datetime]
    attempt: Mapped[int] = mapped_column(default=0)
    claim: Mapped[int] = mapped_column(default=0)
    beats: Mapped[int] = mapped_column(BigInteger, default=0)
    worker: Mapped[str | None]
    beat_at: Mapped[datetime | None]
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    log_tail: Mapped[str] = mapped_column(default="")
    faults: Mapped[list[Any]] = mapped_column(default=list)
    copied_from: Mapped[int | None] = mapped_column(ForeignKey("submissions.id"))
    baseline: Mapped[str | None]
    chosen: Mapped[bool] = mapped_column(default=False)
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)
    challenge: Mapped[ChallengeRow] = relationship(lazy="joined", innerjoin=True)


class Transition(Base):
    """From one state to the next: when, who did it (a user, a worker, the reaper) and why."""

    __tablename__ = "transitions"
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    at: Mapped[datetime]
    before: Mapped[str | None]
    after: Mapped[str]
    who: Mapped[str]
    why: Mapped[str]
    attempt: Mapped[int]


class Score(Base):
    """A submission's scores by one scorer on one edition of the challenge; earlier ones stay.

    `public`, `hidden`: a row per image, as the scorer gives them. `hidden` never leaves the server.
    """

    __tablename__ = "scores"
    __table_args__ = (
        UniqueConstraint(
            "submission_id", "scorer_version", "scorer_fingerprint", "challenge_fingerprint", name="uq_scores_edition"
        ),
    )
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"))
    scorer_version: Mapped[int]
    scorer_fingerprint: Mapped[str]
    challenge_fingerprint: Mapped[str]
    public: Mapped[list[Any]]
    hidden: Mapped[list[Any]]
    public_mean: Mapped[float | None]
    hidden_mean: Mapped[float | None]
    passes: Mapped[int | None] = mapped_column(BigInteger)
    cpu_seconds: Mapped[float]
    created_at: Mapped[datetime]


class Publication(Base):
    """A best that the leaderboard came to show. `released`, `low`, `high`: the hidden mean as it may be known."""

    __tablename__ = "publications"
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    challenge_id: Mapped[int] = mapped_column(ForeignKey("challenges.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"))
    score_id: Mapped[int] = mapped_column(ForeignKey("scores.id"))
    at: Mapped[datetime]
    released: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]


class Event(Base):
    """What a page that follows a submission is told; read again from any id on."""

    __tablename__ = "events"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - no number twice, though the last event went
    id: Mapped[int] = mapped_column(Number, primary_key=True)
    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), index=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    data: Mapped[dict[str, Any]]


class WorkerRow(Base):
    """A worker that asked for work, when it last did, and the scorer that it has."""

    __tablename__ = "workers"
    name: Mapped[str] = mapped_column(primary_key=True)
    scorer_version: Mapped[int | None]
    seen_at: Mapped[datetime]
