"""What can be seen of the queue; nothing is changed by looking."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from sqlalchemy import select

from lumiscope.errors import UsageError
from lumiscope.server.database import ChallengeRow, Clock, Database, Event, Submission, User
from lumiscope.server.queue import challenges, waiting
from lumiscope.server.queue.quotas import Quota, quota_of
from lumiscope.server.queue.states import State

MOST_EVENTS = 500


class Readings:
    """The reading half of a `Queue`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self.clock = database, clock

    def challenges(self) -> Sequence[ChallengeRow]:
        """All of them, by name."""
        return challenges.challenge_rows(self.database)

    def submission(self, submission_id: int) -> Submission:
        """As it is now. Errors: `UsageError`."""
        with self.database.reading() as session:
            submission = session.get(Submission, submission_id)
        if submission is None:
            raise UsageError(f"there is no submission number {submission_id}")
        return submission

    def submissions(
        self, user: str | None = None, challenge: str | None = None, *, before: int | None = None, most: int = 50
    ) -> Sequence[Submission]:
        """The newest first. `before`: the number of the last one of the page before this."""
        query = select(Submission).join(User, User.id == Submission.user_id)
        query = query.join(ChallengeRow, ChallengeRow.id == Submission.challenge_id).order_by(Submission.id.desc())
        conditions = {User.name: user, ChallengeRow.name: challenge}
        query = query.where(*(column == value for column, value in conditions.items() if value is not None))
        if before is not None:
            query = query.where(Submission.id < before)
        with self.database.reading() as session:
            return session.scalars(query.limit(most)).all()

    def timeline(self, submission_id: int) -> waiting.Timeline:
        """Its transitions, its position, and how long it may wait. Errors: `UsageError`."""
        submission = self.submission(submission_id)
        with self.database.reading() as session:
            position = waiting.position_of(session, submission)
            wait = waiting.expected_wait(session, position, self.clock.now())
            steps = waiting.steps_of(session, submission_id)
        return waiting.Timeline(steps, position, wait, submission.done, submission.total)

    def position(self, submission_id: int) -> int | None:
        """From 1 on; None unless it is queued."""
        return self.timeline(submission_id).position

    def expected_wait(self, submission_id: int) -> float | None:
        """Seconds; None unless it is queued and something was scored before."""
        return self.timeline(submission_id).expected_wait

    def events(self, submission_id: int, after: int = 0) -> Sequence[Event]:
        """What has happened to it since the event of number `after`, up to 500."""
        query = select(Event).where(Event.submission_id == submission_id, Event.id > after).order_by(Event.id)
        with self.database.reading() as session:
            return session.scalars(query.limit(MOST_EVENTS)).all()

    def quota(self, user: str, challenge: str) -> Quota:
        """What is left today (UTC). Errors: `UnknownNameError` for the challenge."""
        with self.database.reading() as session:
            row = challenges.challenge_row(session, challenge)
            user_id = session.scalar(select(User.id).where(User.name == user))
            return quota_of(session, user_id or 0, row, self.clock.now().astimezone(UTC).date())

    def oldest_seconds(self) -> dict[State, float]:
        """For how long the oldest submission of each state that is not final has been in it."""
        with self.database.reading() as session:
            return waiting.oldest_seconds(session, self.clock.now())
