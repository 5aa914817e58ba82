"""All submissions of a challenge scored anew, beside the scores that they have; then these are the ones that count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from lumiscope.counts import counted
from lumiscope.errors import UsageError
from lumiscope.server.database import ChallengeRow, Clock, Database, Score, Submission, SystemClock, Upload, in_edition
from lumiscope.server.queue._publishing import publish
from lumiscope.server.queue.challenges import ChallengeFacts, challenge_row, register
from lumiscope.server.queue.states import State
from lumiscope.server.queue.verdicts import score_row


@dataclass(frozen=True)
class Difference:
    """The mean IoU of a submission before and after; of the public and of the hidden images, None without any."""

    submission_id: int
    public: tuple[float | None, float | None]
    hidden: tuple[float | None, float | None]


class Rescoring:
    """Of the challenge as `facts` say that it will be: with another scorer, or after an edit.

    The old scores count until `switch`, and stay readable after it. It may be left and taken up again at any point.
    """

    def __init__(self, database: Database, facts: ChallengeFacts, clock: Clock | None = None) -> None:
        self._database, self._facts, self._clock = database, facts, clock or SystemClock()

    def left(self) -> Sequence[int]:
        """The numbers of scored submissions that are still to be scored anew."""
        with self._database.reading() as session:
            return self._left(session, challenge_row(session, self._facts.name))

    def content(self, submission_id: int) -> tuple[str, bytes]:
        """(name, bytes) of a submission. Errors: `UsageError` where there is none of this number."""
        query = select(Submission.name, Upload.content).join(Upload, Upload.digest == Submission.digest)
        with self._database.reading() as session:
            row = session.execute(query.where(Submission.id == submission_id)).one_or_none()
        if row is None:
            raise UsageError(f"there is no submission number {submission_id}")
        return row.name, row.content

    def add(self, submission_id: int, scores: Mapping[str, Any]) -> None:
        """Keep its new scores beside the old ones. Errors: `VerdictError` where they cannot be believed."""
        score = score_row(scores, self._facts)
        score.submission_id, score.created_at = submission_id, self._clock.now()
        with self._database.writing() as session:
            session.add(score)

    def differences(self) -> Sequence[Difference]:
        """What would change, of all that were scored anew."""
        before, after = aliased(Score), aliased(Score)
        with self._database.reading() as session:
            row = challenge_row(session, self._facts.name)
            query = select(before, after).join(after, after.submission_id == before.submission_id)
            query = query.join(Submission, Submission.id == before.submission_id).order_by(Submission.id)
            conditions = (*in_edition(before, row), *in_edition(after, self._facts), Submission.challenge_id == row.id)
            pairs = session.execute(query.where(*conditions)).all()
        return [
            Difference(old.submission_id, (old.public_mean, new.public_mean), (old.hidden_mean, new.hidden_mean))
            for old, new in pairs
        ]

    def switch(self) -> None:
        """From now on the new scores count, and what is published is told from them in the order of the submissions.

        Errors: `UsageError` while some are left.
        """
        left = self.left()
        if left:
            raise UsageError(f"{counted(len(left), 'submission')} of {self._facts.name} must be scored anew first")
        register(self._database, self._clock, self._facts)
        with self._database.writing() as session:
            row = challenge_row(session, self._facts.name)
            query = select(Submission, Score).join(Score, Score.submission_id == Submission.id).order_by(Submission.id)
            conditions = (Submission.challenge_id == row.id, Submission.state == State.SCORED)
            for submission, score in session.execute(query.where(*conditions, *in_edition(Score, row))).all():
                publish(session, submission, score, self._clock.now())
                session.flush()

    def _left(self, session: Session, row: ChallengeRow) -> Sequence[int]:
        scored = select(Score.submission_id).where(*in_edition(Score, self._facts))
        query = select(Submission.id).where(Submission.challenge_id == row.id, Submission.state == State.SCORED)
        return session.scalars(query.where(Submission.id.not_in(scored)).order_by(Submission.id)).all()
