"""The queue of submissions: received once, scored once, never lost.

The table of submissions is the truth. Nothing else holds work: no broker, no file, no memory of a worker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lumiscope.counts import counted
from lumiscope.errors import UsageError
from lumiscope.server.database import ChallengeRow, Clock, Database, Submission, SystemClock, User
from lumiscope.server.queue import challenges, claims, reception
from lumiscope.server.queue._moves import locked, move
from lumiscope.server.queue._publishing import publish
from lumiscope.server.queue._readings import Readings
from lumiscope.server.queue._reaper import Reaper
from lumiscope.server.queue.challenges import ChallengeFacts
from lumiscope.server.queue.claims import Claimed
from lumiscope.server.queue.states import State
from lumiscope.server.queue.verdicts import VerdictError, faults_of, score_row

LEASE_SECONDS = 30.0
RECEPTION_SECONDS = 60.0
MOST_ATTEMPTS = 3
PER_USER = 2
MOST_CHOSEN = 2


class Queue(Readings):
    """All that happens to submissions; any number of these on one database, in any number of processes.

    `lease_seconds`: how long a worker may be silent before another gets its work. `per_user`: how many submissions of
    one user are worked on at a time. `most_attempts`: after which a submission has failed.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock | None = None,
        *,
        lease_seconds: float = LEASE_SECONDS,
        reception_seconds: float = RECEPTION_SECONDS,
        per_user: int = PER_USER,
        most_attempts: int = MOST_ATTEMPTS,
    ) -> None:
        super().__init__(database, clock or SystemClock())
        self.lease_seconds, self._per_user, self._most_attempts = lease_seconds, per_user, most_attempts
        self._reaper = Reaper(database, self.clock, lease_seconds, reception_seconds, most_attempts)

    # Challenges

    def register(self, facts: ChallengeFacts) -> ChallengeRow:
        """Tell of a challenge, or of what has changed in it; what waits is scored on it as it is then."""
        return challenges.register(self.database, self.clock, facts)

    # Handing in

    def receive(
        self,
        user: str,
        challenge: str,
        name: str,
        content: bytes,
        key: str | None = None,
        *,
        baseline: str | None = None,
        at_once: bool = True,
    ) -> Submission:
        """Keep the bytes of a hand-in, named `name`, and queue it; equal bytes have their score at once.

        `key`: with the same one the same submission comes back, though it is sent again. `baseline`: the label of one
        of the organiser's. `at_once` False: it stays `received`, for `admit` or `reject`; where neither comes, the
        reaper admits it.
        Errors: `UnknownNameError` for the challenge; `UsageError` for a user that there is not, for a size, and
        (`KeyReusedError`) for a key that came with something else; `QuotaError`.
        """
        sent = reception.HandedIn(user, challenge, name, content, key, baseline)
        try:
            return self._received(sent, at_once)
        except IntegrityError:  # the same key at the same moment
            return self._received(sent, at_once)

    def admit(self, submission_id: int, who: str = "server", why: str = "it can be read") -> Submission:
        """From `received` into the queue. Errors: `TransitionError`."""
        with self.database.writing() as session:
            submission = locked(session, submission_id)
            reception.admit(session, submission, who, why, self.clock.now())
        return submission

    def reject(self, submission_id: int, faults: Sequence[Mapping[str, Any]], who: str = "server") -> Submission:
        """From `received` to `rejected`. Errors: `TransitionError`; `VerdictError` without faults."""
        with self.database.writing() as session:
            submission = locked(session, submission_id)
            self._reject(session, submission, {"faults": list(faults)}, who)
        return submission

    def cancel(self, submission_id: int, who: str, why: str = "cancelled by its user") -> Submission:
        """Nothing more is done about it, and it is not charged; a worker that has it is told at its next heartbeat.

        Errors: `TransitionError` where it has its end already.
        """
        with self.database.writing() as session:
            submission = locked(session, submission_id)
            move(session, submission, State.CANCELLED, who, f"{why}; not charged", self.clock.now())
        return submission

    def choose(self, user: str, challenge: str, submission_ids: Sequence[int]) -> None:
        """Which of their scored submissions a user wants in the final ranking: two at most. Errors: `UsageError`."""
        if len(set(submission_ids)) > MOST_CHOSEN:
            raise UsageError(f"up to {MOST_CHOSEN} submissions are chosen for the final ranking")
        with self.database.writing() as session:
            row = challenges.challenge_row(session, challenge)
            query = select(Submission).join(User, User.id == Submission.user_id).where(User.name == user)
            scored = session.scalars(query.where(Submission.challenge_id == row.id, Submission.state == State.SCORED))
            by_number = {submission.id: submission for submission in scored}
            unknown = set(submission_ids) - set(by_number)
            if unknown:
                raise UsageError(f"submission {min(unknown)} is no scored one of {user} in {challenge}")
            for number, submission in by_number.items():
                submission.chosen = number in submission_ids

    # Working

    def claim(self, worker: str, scorer_version: int | None = None) -> Claimed | None:
        """What `worker` is to score now; None where there is nothing for it. Users take turns.

        `scorer_version`: of the worker's scorer; it gets what is to be scored by that one alone.
        Errors: `WorkerOutdatedError` where all that waits is for another version.
        """
        with self.database.writing() as session:
            claims.note_worker(session, worker, scorer_version, self.clock.now())
        while True:
            with self.database.writing() as session:
                now = self.clock.now()
                submission = claims.next_submission(session, scorer_version, self._per_user)
                if submission is None:
                    return None
                score = reception.twin_score(session, submission.challenge, submission.digest)
                if score is None:
                    return claims.claim(session, submission, worker, now)
                reception.copy_score(session, submission, score, now)

    def heartbeat(self, claimed: Claimed) -> bool:
        """The worker lives. False where it has lost the claim, and may stop."""
        with self.database.writing() as session:
            return claims.beat(session, claimed, self.clock.now())

    def progress(self, claimed: Claimed, done: int, total: int, log: str = "") -> bool:
        """A heartbeat with how far it is. `log`: its last lines, for the owner. False as in `heartbeat`."""
        with self.database.writing() as session:
            return claims.tell_progress(session, claimed, done, total, log, self.clock.now())

    def finish(self, claimed: Claimed, verdict: Mapping[str, Any]) -> State:
        """Take a verdict: {"state": "scored", "scores": {"images": […]}} or {"state": "rejected", "faults": […]}.

        Returns the state that it led to: `queued` where the challenge or its scorer was changed meanwhile, or (as
        `failed`) where the verdict cannot be believed. Errors: `ClaimLostError`; then nothing was changed.
        """
        with self.database.writing() as session:
            submission = claims.held(session, claimed)
            session.refresh(submission.challenge)
            challenge, now = submission.challenge, self.clock.now()
            if _edition(claimed) != _edition(challenge):
                why = "the challenge or its scorer was changed meanwhile: it is scored anew"
                claims.give_back(session, submission, claimed.worker, why, now)
                return State.QUEUED
            try:
                self._conclude(session, submission, verdict, claimed.worker)
            except VerdictError as error:
                why = f"the scorer's answer cannot be used: {error}"
                claims.failed_attempt(session, submission, claimed.worker, why, self._most_attempts, now)
            return State(submission.state)

    def fail(self, claimed: Claimed, why: str, log: str = "") -> State:
        """The server's fault: it is tried again, up to three times in all. Errors: `ClaimLostError`."""
        with self.database.writing() as session:
            submission = claims.held(session, claimed)
            submission.log_tail = log[-claims.LONGEST_LOG :] or submission.log_tail
            now = self.clock.now()
            claims.failed_attempt(session, submission, claimed.worker, why, self._most_attempts, now)
        return State(submission.state)

    def give_back(self, claimed: Claimed, why: str = "the worker was stopped") -> None:
        """Put it back without an attempt lost. Errors: `ClaimLostError`."""
        with self.database.writing() as session:
            submission = claims.held(session, claimed)
            claims.give_back(session, submission, claimed.worker, why, self.clock.now())

    def reap(self) -> list[int]:
        """Put back what silent workers have; call it every few seconds. See `_reaper`."""
        return self._reaper.reap()

    def _received(self, sent: reception.HandedIn, at_once: bool) -> Submission:
        with self.database.writing() as session:
            now = self.clock.now()
            submission = reception.receive(session, sent, now)
            if at_once and submission.state == State.RECEIVED:
                reception.admit(session, submission, "server", "size, name and quota are within limits", now)
        return submission

    def _conclude(self, session: Session, submission: Submission, verdict: Mapping[str, Any], who: str) -> None:
        state, now = verdict.get("state"), self.clock.now()
        if state == "rejected":
            self._reject(session, submission, verdict, who)
        elif state == "scored":
            score = score_row(verdict.get("scores"), submission.challenge)
            score.submission_id, score.created_at = submission.id, now
            session.add(score)
            move(session, submission, State.SCORED, who, "all images have their scores", now)
            publish(session, submission, score, now)
        else:
            raise VerdictError(f"expected a verdict that is scored or rejected; got {state!r}")

    def _reject(self, session: Session, submission: Submission, verdict: Mapping[str, Any], who: str) -> None:
        submission.faults = faults_of(verdict)
        first = submission.faults[0]
        why = f"{first['where']}: expected {first['expected']}, came {first['came']}"
        if len(submission.faults) > 1:
            why = f"{counted(len(submission.faults), 'fault')}, the first: {why}"
        move(session, submission, State.REJECTED, who, f"{why}; not charged", self.clock.now())


def _edition(of: Claimed | ChallengeRow) -> tuple[str, int, str]:
    fingerprint = of.challenge_fingerprint if isinstance(of, Claimed) else of.fingerprint
    return fingerprint, of.scorer_version, of.scorer_fingerprint
