"""What the server does for whoever asks: the one way in, for the API, the course's route and the pages."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lumiscope.errors import LumiscopeError, UnknownNameError, UsageError
from lumiscope.server._records import counts_of_states, scored_by_user
from lumiscope.server._shown import board_view, submission_view
from lumiscope.server._views import BoardView, ChallengeView, SubmissionPage, SubmissionView
from lumiscope.server.baselines import baselines_of
from lumiscope.server.challenges import Challenge, packed_public_part
from lumiscope.server.database import Database, People, Person, Submission
from lumiscope.server.hand_ins import template
from lumiscope.server.leaderboard import count_entries, leaderboard
from lumiscope.server.queue import ChallengeFacts, Queue, State
from lumiscope.server.scoring import SCORER_VERSION, scorer_fingerprint

BASELINES = "baselines"  # the user of an organiser's own hand-ins
ADMIN = "admin"  # the scope of who runs the server


@dataclass(frozen=True)
class User:
    """Who asks. `id`: the number of the token that came, in a session, too."""

    id: int
    name: str
    admin: bool


@dataclass(frozen=True)
class Listed:
    """A user, as the admin sees it."""

    name: str
    admin: bool
    tokens: int
    scored: int


class Service:
    """`challenges`: by name. `secret`: signs sessions. `isolation`: what the admin is told of it. `stopping`: set when
    the server ends, so that streams do."""

    def __init__(
        self,
        database: Database,
        challenges: Mapping[str, Challenge],
        secret: bytes,
        isolation: Mapping[str, Any],
    ) -> None:
        self.queue, self.people = Queue(database), People(database)
        self.secret = secret
        self.stopping = threading.Event()
        self._challenges = dict(challenges)
        self._isolation = dict(isolation)

    def prepare(self) -> None:
        """Tell the queue of the challenges, and hand in their baselines."""
        for challenge in self._challenges.values():
            self.queue.register(facts_of(challenge))
            self.people.add(BASELINES)
            for baseline in baselines_of(challenge):
                content = baseline.path.read_bytes()
                edition = hashlib.sha256(content + challenge.fingerprint.encode()).hexdigest()[:32]
                key = f"{challenge.name}/{baseline.name}/{edition}"
                self.queue.receive(BASELINES, challenge.name, baseline.path.name, content, key, baseline=baseline.name)

    @property
    def most_bytes(self) -> int:
        """Of an upload to any challenge."""
        return max((challenge.limits.upload_bytes for challenge in self._challenges.values()), default=0)

    # Who asks

    def user_of(self, token: str) -> User | None:
        """Whose token it is; None for one that is not known, expired or revoked."""
        return _user(self.people.person(token))

    def user(self, number: int) -> User | None:
        """Whose token has this number, while it is good."""
        return _user(self.people.person_of(number))

    def has_admin(self) -> bool:
        """Whether anybody has an admin's token that is good."""
        return any(ADMIN in token.scopes and not token.revoked_at for token in self.people.tokens())

    def make_token(self, name: str, *, admin: bool = False) -> str:
        """A new token, shown once."""
        return self.people.issue(name, scopes_of(admin))

    def revoke(self, name: str) -> None:
        """Make all tokens of a user worthless."""
        for token in self.people.tokens(name):
            self.people.revoke(token.id)

    def users(self) -> list[Listed]:
        """All users."""
        scored = scored_by_user(self.queue.database)
        listed = []
        for user in self.people.users():
            good = [token for token in self.people.tokens(user.name) if token.revoked_at is None]
            admin = any(ADMIN in token.scopes for token in good)
            listed.append(Listed(user.name, admin, len(good), scored.get(user.id, 0)))
        return listed

    # Challenges

    @property
    def first_challenge(self) -> Challenge:
        """By name; the course's route knows of one alone."""
        return next(iter(self._challenges.values()))

    def challenges(self) -> list[ChallengeView]:
        """All of them, by name."""
        return [self.challenge(name) for name in self._challenges]

    def challenge(self, name: str) -> ChallengeView:
        """One of them. Errors: `UnknownNameError`."""
        challenge = self._of_name(name)
        facts = challenge.public_facts()
        return ChallengeView(
            name=challenge.name,
            title=challenge.title,
            text=challenge.text,
            accepts=list(challenge.accepts),
            methods=list(challenge.methods),
            images=list(challenge.names),
            public=[image.name for image in challenge.public],
            limits=facts["limits"],
            fingerprint=challenge.fingerprint,
            ranked=count_entries(self.queue.database, name),
        )

    def template(self, name: str, method: str | None = None) -> bytes:
        """Parameters of a method to edit; of the challenge's first, if none is named."""
        return template(self._of_name(name), method)

    def public_part(self, name: str) -> bytes:
        """A zip file of all pictures, and the true masks of the public ones."""
        return packed_public_part(self._of_name(name))

    def leaderboard(self, name: str, *, final: bool = False) -> BoardView:
        """What is ranked, the best first. `final`: of the submissions that were chosen."""
        self._of_name(name)
        return board_view(leaderboard(self.queue.database, name, final=final))

    # Submissions

    def hand_in(self, user: User, challenge: str, name: str, content: bytes, key: str | None) -> SubmissionView:
        """Keep it and put it into the queue. Errors: those of `Queue.receive`."""
        self._of_name(challenge)
        return self._view(self.queue.receive(user.name, challenge, name, content, key))

    def submission(self, user: User, number: int) -> SubmissionView:
        """One of the user's; of anybody's for an admin. Errors: `UnknownSubmissionError`."""
        return self._view(self._owned(user, number))

    def submissions(self, user: User, challenge: str | None, before: int | None, limit: int) -> SubmissionPage:
        """The user's, the newest first."""
        rows = self.queue.submissions(user.name, challenge, before=before, most=limit + 1)
        more = rows[limit - 1].id if len(rows) > limit else None
        return SubmissionPage(items=[self._view(row) for row in rows[:limit]], next=more)

    def cancel(self, user: User, number: int) -> SubmissionView:
        """Cancel it. Errors: `TransitionError` where it has ended."""
        row = self._owned(user, number)
        return self._view(self.queue.cancel(row.id, user.name))

    def quota_in_words(self, user: User, challenge: str) -> str:
        """What is left today."""
        return str(self.queue.quota(user.name, challenge))

    # Operations

    def not_ready(self) -> str:
        """Why no work should be sent here; "" where it may."""
        if self.stopping.is_set():
            return "the server is stopping"
        try:
            self.queue.challenges()
        except LumiscopeError as error:
            return str(error)
        return ""

    def queue_facts(self) -> dict[str, tuple[int, float]]:
        """State -> how many submissions are in it, and for how many seconds the oldest has been."""
        counts, oldest = counts_of_states(self.queue.database), self.queue.oldest_seconds()
        return {state.value: (counts.get(state, 0), oldest.get(state, 0.0)) for state in State}

    def isolation_facts(self) -> dict[str, Any]:
        """What holds the scorer's child in."""
        return self._isolation

    def _of_name(self, name: str) -> Challenge:
        if name not in self._challenges:
            raise UnknownNameError("challenge", name, self._challenges)
        return self._challenges[name]

    def _owned(self, user: User, number: int) -> Submission:
        try:
            row = self.queue.submission(number)
        except UsageError:
            raise UnknownSubmissionError(number) from None
        if row.user.name != user.name and not user.admin:
            raise UnknownSubmissionError(number)
        return row

    def _view(self, row: Submission) -> SubmissionView:
        return submission_view(self.queue, row)


class UnknownSubmissionError(LumiscopeError):
    """There is none of this number, or it is somebody else's: which of both, is nobody's business."""

    def __init__(self, number: int) -> None:
        super().__init__(f"you have no submission number {number}")


def scopes_of(admin: bool) -> tuple[str, ...]:
    """What a token is good for."""
    return (ADMIN, "read", "submit") if admin else ("read", "submit")


def facts_of(challenge: Challenge) -> ChallengeFacts:
    """What the queue has to know of it."""
    return ChallengeFacts(
        name=challenge.name,
        title=challenge.title,
        fingerprint=challenge.fingerprint,
        scorer_version=SCORER_VERSION,
        scorer_fingerprint=scorer_fingerprint(),
        public=tuple(image.name for image in challenge.public),
        hidden=tuple(image.name for image in challenge.hidden),
        scored_a_day=challenge.limits.scored_a_day,
        rejected_a_day=challenge.limits.rejected_a_day,
        upload_bytes=challenge.limits.upload_bytes,
    )


def _user(person: Person | None) -> User | None:
    return None if person is None else User(person.token_id, person.name, ADMIN in person.scopes)
