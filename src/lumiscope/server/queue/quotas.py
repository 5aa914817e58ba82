"""What a user may still hand in today. Counted from the states each time: there is no counter to go wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lumiscope.errors import LumiscopeError
from lumiscope.server.database import ChallengeRow, Submission
from lumiscope.server.queue.states import UNDER_WAY, State


@dataclass(frozen=True)
class Quota:
    """Of one user, challenge and day (UTC). `under_way`: not told yet; each holds a place until it is.

    `rejected`: what is free but has a limit of its own, the larger one: rejected and cancelled submissions, and copies
    of what has a score already. Failed ones, which are the server's fault, count for nothing. `resets_at`: midnight.
    """

    scored: int
    under_way: int
    scored_a_day: int
    rejected: int
    rejected_a_day: int
    resets_at: datetime

    @property
    def left(self) -> int:
        """How many more may be handed in now."""
        if self.rejected >= self.rejected_a_day:
            return 0
        return max(0, self.scored_a_day - self.scored - self.under_way)

    @property
    def left_for_copies(self) -> int:
        """How many more may be handed in of what has a score already."""
        return max(0, self.rejected_a_day - self.rejected)

    def __str__(self) -> str:
        day = f"until {self.resets_at:%Y-%m-%d %H:%M} UTC"
        text = f"{self.scored} of {self.scored_a_day} scored {day}"
        if self.under_way:
            text += f", {self.under_way} under way"
        if self.rejected:
            text += f"; {self.rejected} of {self.rejected_a_day} rejected, cancelled or handed in again"
        return text


class QuotaError(LumiscopeError):
    """Nothing more may be handed in now. `quota`: what was used."""

    def __init__(self, quota: Quota) -> None:
        super().__init__(f"your quota is used up: {quota}")
        self.quota = quota


def quota_of(session: Session, user_id: int, challenge: ChallengeRow, day: date) -> Quota:
    """What the states say."""
    is_copy = Submission.copied_from.is_not(None)
    query = (
        select(Submission.state, is_copy, func.count())
        .where(
            Submission.user_id == user_id,
            Submission.challenge_id == challenge.id,
            Submission.day == day,
            Submission.baseline.is_(None),
        )
        .group_by(Submission.state, is_copy)
    )
    charged: Counter[str] = Counter()
    copies = 0
    for state, copied, count in session.execute(query):
        if copied:
            copies += count
        else:
            charged[state] = count
    return Quota(
        scored=charged[State.SCORED],
        under_way=sum(charged[state] for state in UNDER_WAY),
        scored_a_day=challenge.scored_a_day,
        rejected=charged[State.REJECTED] + charged[State.CANCELLED] + copies,
        rejected_a_day=challenge.rejected_a_day,
        resets_at=datetime.combine(day + timedelta(days=1), time(), UTC),
    )
