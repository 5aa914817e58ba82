"""Users and their tokens."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.printable import printable
from lumiscope.server.database.clock import Clock, SystemClock
from lumiscope.server.database.database import Database
from lumiscope.server.database.tables import Token, User
from lumiscope.server.database.tokens import SCOPES, SHOWN, has_token_form, new_token, stored_form

LONGEST_NAME = 64


@dataclass(frozen=True)
class Person:
    """Whose token it was, and what it is good for. `expires_soon`: within a week."""

    user_id: int
    name: str
    token_id: int
    scopes: frozenset[str]
    expires_soon: bool


class People:
    """Who may do what."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database, self._clock = database, clock or SystemClock()

    def add(self, name: str) -> User:
        """The user of this name, made where there is none.

        Errors: `UsageError` for a name that is empty, longer than 64 characters, or has characters that do not print.
        """
        if not 0 < len(name) <= LONGEST_NAME or name != printable(name) or name != name.strip():
            raise UsageError(f"a user's name has 1 to {LONGEST_NAME} characters that can be read; got {name!r}")
        try:
            with self._database.writing() as session:
                return _user(session, name) or _added(session, User(name=name, turn=0, created_at=self._clock.now()))
        except IntegrityError:  # another process was first
            with self._database.reading() as session:
                return session.scalars(select(User).where(User.name == name)).one()

    def users(self) -> Sequence[User]:
        """All of them, by name."""
        with self._database.reading() as session:
            return session.scalars(select(User).order_by(User.name)).all()

    def disable(self, name: str) -> None:
        """No token of this user is good any more; what was handed in stays. Errors: `UnknownNameError`."""
        with self._database.writing() as session:
            user = _user(session, name)
            if user is None:
                raise UnknownNameError("user", name, session.scalars(select(User.name)))
            user.disabled_at = self._clock.now()

    def issue(self, name: str, scopes: Sequence[str] = ("read", "submit"), days: float | None = None) -> str:
        """A new token for the user of this name, who is made where there is none. It cannot be shown again.

        `days`: after which it expires; None: never. Errors: `UnknownNameError` for a scope, `UsageError` for no scope,
        for days that are not above 0, and as in `add`.
        """
        for scope in scopes:
            if scope not in SCOPES:
                raise UnknownNameError("scope", scope, SCOPES)
        if not scopes or (days is not None and not days > 0):
            raise UsageError(f"a token has a scope and, if any, days above 0; got {list(scopes)} and {days}")
        user, (text, stored), now = self.add(name), new_token(), self._clock.now()
        expires = None if days is None else now + timedelta(days=days)
        with self._database.writing() as session:
            session.add(
                Token(
                    user_id=user.id,
                    digest=stored,
                    start=text[:SHOWN],
                    scopes=sorted(set(scopes)),
                    created_at=now,
                    expires_at=expires,
                )
            )
        return text

    def person(self, text: str) -> Person | None:
        """Whose token this is; None where it is no token, unknown, expired, revoked, or its user was disabled.

        Which of these it is, is nobody's business.
        """
        if not has_token_form(text):
            return None
        stored, now = stored_form(text), self._clock.now()
        with self._database.reading() as session:
            token = session.scalars(select(Token).where(Token.digest == stored)).one_or_none()
        return _owner(token, now) if token is not None and hmac.compare_digest(token.digest, stored) else None

    def person_of(self, token_id: int) -> Person | None:
        """The same of the token of this number, which a session remembers in its place."""
        with self._database.reading() as session:
            token = session.get(Token, token_id)
        return None if token is None else _owner(token, self._clock.now())

    def tokens(self, name: str | None = None) -> Sequence[Token]:
        """Those of a user, or of all, the newest first."""
        query = select(Token).join(User).order_by(Token.id.desc())
        with self._database.reading() as session:
            return session.scalars(query if name is None else query.where(User.name == name)).all()

    def revoke(self, token_id: int) -> None:
        """It is good for nothing from now on. Errors: `UsageError` where there is none of this number."""
        with self._database.writing() as session:
            token = session.get(Token, token_id)
            if token is None:
                raise UsageError(f"there is no token number {token_id}")
            token.revoked_at = token.revoked_at or self._clock.now()


def _owner(token: Token, now: datetime) -> Person | None:
    """Whose token it is, while it is good."""
    expires = token.expires_at
    if token.revoked_at or token.user.disabled_at or (expires is not None and expires <= now):
        return None
    soon = expires is not None and expires - now < timedelta(days=7)
    return Person(token.user_id, token.user.name, token.id, frozenset(token.scopes), soon)


def _user(session: Session, name: str) -> User | None:
    return session.scalars(select(User).where(User.name == name)).one_or_none()


def _added(session: Session, user: User) -> User:
    session.add(user)
    session.flush()
    return user
