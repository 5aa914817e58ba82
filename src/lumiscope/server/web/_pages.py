"""Pages: challenges with their leaderboards, submissions, who is who, and what the admin must know."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import jinja2
from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from lumiscope.server._service import Service, User
from lumiscope.server.web._api import events_of
from lumiscope.server.web._errors import ApiError
from lumiscope.server.web._users import (
    COOKIE,
    SECONDS,
    admin,
    checked_user,
    csrf_of,
    service_of,
    session_for,
    user_of_cookie,
)

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
The = Annotated[Service, Depends(service_of)]
Visitor = Annotated[User | None, Depends(user_of_cookie)]
Sender = Annotated[User, Depends(checked_user)]
Admin = Annotated[User, Depends(admin)]
HERE = Path(__file__).parent
MEDIA = {"server.css": "text/css", "server.js": "text/javascript"}


def number(value: float | None, digits: int = 3) -> str:
    """A number of a table; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
)
_TEMPLATES.filters["number"] = number


def page(request: Request, name: str, user: User | None = None, status: int = 200, **content: Any) -> HTMLResponse:
    """A page of a template. Every one knows who looks at it."""
    service: Service = request.app.state.service
    text = _TEMPLATES.get_template(f"{name}.html.j2").render(
        nonce=request.state.nonce,
        user=user,
        csrf=csrf_of(user, service.secret),
        base=str(request.base_url).rstrip("/"),
        **content,
    )
    return HTMLResponse(text, status, {"Cache-Control": "no-store"})


def wrong(request: Request, status: int, message: str) -> HTMLResponse:
    """A page that says what went wrong."""
    return page(request, "wrong", None, status, message=message, status_shown=status)


@router.get("/static/{name}")
def static(name: str) -> Response:
    """The style sheet and the script."""
    if name not in MEDIA:
        raise ApiError(404, "no such file")
    content = (HERE / "static" / name).read_bytes()
    return Response(content, media_type=MEDIA[name], headers={"Cache-Control": "max-age=3600"})


@router.get("/favicon.ico")
def favicon() -> Response:
    """There is none, which browsers ask for all the same."""
    return Response(status_code=204)


@router.get("/")
def home(request: Request, service: The, user: Visitor) -> HTMLResponse:
    """All challenges."""
    return page(request, "home", user, challenges=service.challenges())


@router.get("/challenges/{name}")
def challenge(request: Request, service: The, user: Visitor, name: str) -> HTMLResponse:
    """The leaderboard, how to hand in, and the limits."""
    board = service.leaderboard(name)
    quota = service.quota_in_words(user, name) if user else ""
    return page(request, "challenge", user, challenge=service.challenge(name), board=board, quota=quota)


@router.post("/challenges/{name}/hand-in")
async def hand_in(service: The, user: Sender, name: str, file: Annotated[UploadFile, File()]) -> Response:
    """A file from the form."""
    content = await file.read()
    view = await run_in_threadpool(service.hand_in, user, name, file.filename or "", content, None)
    return RedirectResponse(f"/submissions/{view.id}", 303)


@router.get("/mine")
def mine(request: Request, service: The, user: Visitor) -> Response:
    """The submissions of whoever signed in."""
    if user is None:
        return RedirectResponse("/login", 303)
    return page(request, "mine", user, submissions=service.submissions(user, None, None, 100).items)


@router.get("/submissions/{number}")
def submission(request: Request, service: The, user: Visitor, number: int) -> Response:
    """One of them."""
    if user is None:
        return RedirectResponse("/login", 303)
    return page(request, "submission", user, submission=service.submission(user, number))


@router.get("/submissions/{number}/events", response_class=EventSourceResponse)
async def follow(request: Request, service: The, user: Visitor, number: int) -> AsyncIterator[ServerSentEvent]:
    """Its changes, for the page."""
    if user is None:
        raise ApiError(401, "sign in first")
    async for event in events_of(service, user, number, request):
        yield event


@router.post("/submissions/{number}/cancel")
def cancel(service: The, user: Sender, number: int) -> Response:
    """Cancel it."""
    service.cancel(user, number)
    return RedirectResponse(f"/submissions/{number}", 303)


@router.get("/login")
def login_form(request: Request, user: Visitor) -> HTMLResponse:
    """Where a token is given."""
    return page(request, "login", user, wrong="")


@router.post("/login")
def login(request: Request, service: The, token: Annotated[str, Form(max_length=300)]) -> Response:
    """Trade a token for a session."""
    user = service.user_of(token.strip())
    if user is None:
        return page(request, "login", None, 401, wrong="This token is not known, expired or revoked.")
    answer = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    session = session_for(user, service.secret)
    answer.set_cookie(COOKIE, session, SECONDS, httponly=True, samesite="strict", secure=secure)
    return answer


@router.post("/logout")
def logout(_: Sender) -> Response:
    """End the session in this browser."""
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/admin")
def admin_page(request: Request, service: The, user: Visitor) -> HTMLResponse:
    """Users, the queue, and how uploads are kept apart."""
    if user is None or not user.admin:
        raise ApiError(403, "only admins may see that; sign in with the admin's token")
    return _admin_page(request, service, user)


@router.post("/admin/token")
def make_token(
    request: Request, service: The, user: Admin, name: Annotated[str, Form(min_length=1, max_length=100)]
) -> HTMLResponse:
    """A new token, shown once."""
    return _admin_page(request, service, user, token=service.make_token(name), token_for=name)


@router.post("/admin/revoke")
def revoke(service: The, user: Admin, name: Annotated[str, Form(max_length=100)]) -> Response:
    """Make all tokens of somebody worthless."""
    service.revoke(name)
    return RedirectResponse("/admin", 303)


def _admin_page(request: Request, service: Service, user: User, token: str = "", token_for: str = "") -> HTMLResponse:
    queue = {
        state: f"{count}, the oldest for {seconds:.0f} s" for state, (count, seconds) in service.queue_facts().items()
    }
    return page(
        request,
        "admin",
        user,
        isolation=service.isolation_facts(),
        queue=queue,
        users=service.users(),
        token=token,
        token_for=token_for,
    )
