"""Who asks: by a token in a header, or by the cookie of somebody who signed in on a page."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Annotated

from fastapi import Cookie, Depends, Form, Header, Request

from lumiscope.server._service import Service, User
from lumiscope.server.web._errors import ApiError

COOKIE = "lumiscope_session"
SECONDS = 12 * 3600


def service_of(request: Request) -> Service:
    """The service of this application."""
    service: Service = request.app.state.service
    return service


The = Annotated[Service, Depends(service_of)]


def user_of_token(
    service: The,
    authorization: Annotated[str | None, Header(max_length=300)] = None,
    token: Annotated[str | None, Header(max_length=300)] = None,
) -> User:
    """Whose token came, as `Authorization: Bearer lsk_…` or `token: lsk_…`. Errors: 401."""
    given = token or (authorization or "").removeprefix("Bearer ").strip()
    user = service.user_of(given) if given else None
    if user is None:
        how = "expected a token in the header `Authorization: Bearer lsk_…` or `token`; "
        came = "that one is not known, expired or revoked" if given else "none came"
        raise ApiError(401, how + came, headers={"WWW-Authenticate": "Bearer"})
    return user


def session_for(user: User, secret: bytes) -> str:
    """What a cookie holds for somebody who signed in: who, until when, and that we said so."""
    facts = f"{user.id}.{int(time.time()) + SECONDS}"
    return f"{facts}.{_signed(facts, secret)}"


def user_of_cookie(
    service: The, session: Annotated[str | None, Cookie(alias=COOKIE, max_length=200)] = None
) -> User | None:
    """Who signed in; None for nobody, and where the session is over."""
    facts, _, signature = (session or "").rpartition(".")
    number, _, until = facts.partition(".")
    if not hmac.compare_digest(signature.encode(), _signed(facts, service.secret).encode()):
        return None
    return service.user(int(number)) if until.isdigit() and int(until) > time.time() else None


def csrf_of(user: User | None, secret: bytes) -> str:
    """What forms carry, which no other site knows."""
    return _signed(f"csrf {user.id}", secret) if user else ""


def checked_user(
    service: The,
    user: Annotated[User | None, Depends(user_of_cookie)],
    csrf: Annotated[str, Form(max_length=200)] = "",
) -> User:
    """Who sent a form of ours. Errors: 401, 403."""
    if user is None:
        raise ApiError(401, "sign in first")
    if not hmac.compare_digest(csrf.encode(), csrf_of(user, service.secret).encode()):
        raise ApiError(403, "this form is not from here; load the page again")
    return user


def admin(user: Annotated[User, Depends(checked_user)]) -> User:
    """The same, of an admin. Errors: 403."""
    if not user.admin:
        raise ApiError(403, "only admins may do that")
    return user


def _signed(facts: str, secret: bytes) -> str:
    return hmac.new(secret, facts.encode(), hashlib.sha256).hexdigest()
