"""The API, version 1. Errors have the shape of `Problem`; lists are paged; what does not change has an ETag."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, File, Header, Path, Query, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from lumiscope.server._service import Service, User
from lumiscope.server._views import BoardView, ChallengeView, SubmissionPage, SubmissionView
from lumiscope.server.web._errors import RESPONSES, ApiError
from lumiscope.server.web._users import service_of, user_of_token

POLL = 0.5  # seconds between looks at the state table, by an event stream
router = APIRouter(prefix="/api/v1", responses=RESPONSES)
The = Annotated[Service, Depends(service_of)]
Who = Annotated[User, Depends(user_of_token)]
Number = Annotated[int, Path(ge=1, le=2**53)]
Name = Annotated[str, Path(max_length=100)]


@router.get("/challenges")
def list_challenges(service: The) -> list[ChallengeView]:
    """All challenges."""
    return service.challenges()


@router.get("/challenges/{name}")
def get_challenge(service: The, name: Name, request: Request, response: Response) -> ChallengeView:
    """One challenge: what it accepts, its pictures, methods and limits."""
    view = service.challenge(name)
    _same_as(view.model_dump_json(), request, response)
    return view


@router.get("/challenges/{name}/template")
def get_template(service: The, name: Name, method: Annotated[str | None, Query(max_length=100)] = None) -> Response:
    """Parameters of a method to edit, JSON."""
    return Response(service.template(name, method), media_type="application/json")


@router.get("/challenges/{name}/public.zip")
def get_public_part(service: The, name: Name) -> Response:
    """All pictures, and the true masks of the public ones, by which `lumiscope submit --check` scores."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return Response(service.public_part(name), media_type="application/zip", headers=headers)


@router.get("/challenges/{name}/leaderboard")
def get_leaderboard(service: The, name: Name, request: Request, response: Response, final: bool = False) -> BoardView:
    """All that is ranked, baselines too, the best first. `final`: of the submissions that were chosen."""
    board = service.leaderboard(name, final=final)
    _same_as(board.model_dump_json(), request, response)
    return board


@router.post("/challenges/{name}/submissions", status_code=201)
async def hand_in(
    service: The,
    user: Who,
    name: Name,
    response: Response,
    file: Annotated[UploadFile, File(description="Parameters, maps or masks.")],
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> SubmissionView:
    """Hand in a file. With an `Idempotency-Key` the same request again answers with the same submission."""
    content = await file.read()
    view = await run_in_threadpool(service.hand_in, user, name, file.filename or "", content, idempotency_key)
    response.headers["Location"] = f"/api/v1/submissions/{view.id}"
    return view


@router.get("/submissions")
def list_submissions(
    service: The,
    user: Who,
    challenge: Annotated[str | None, Query(max_length=100)] = None,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> SubmissionPage:
    """Your submissions, the newest first; `before`: the `next` of the page before."""
    return service.submissions(user, challenge, before, limit)


@router.get("/submissions/{number}")
def get_submission(service: The, user: Who, number: Number, request: Request, response: Response) -> SubmissionView:
    """One of your submissions, with its time line, faults and scores."""
    view = service.submission(user, number)
    _same_as(view.model_dump_json(), request, response)
    return view


@router.delete("/submissions/{number}")
def cancel(service: The, user: Who, number: Number) -> SubmissionView:
    """Cancel a submission that is not scored yet; it costs nothing of your quota."""
    return service.cancel(user, number)


@router.get("/submissions/{number}/events", response_class=EventSourceResponse)
async def follow(service: The, user: Who, number: Number, request: Request) -> AsyncIterator[ServerSentEvent]:
    """Every change of one of your submissions, until it ends."""
    async for event in events_of(service, user, number, request):
        yield event


async def events_of(service: Service, user: User, number: int, request: Request) -> AsyncIterator[ServerSentEvent]:
    """The state of a submission, and again whenever it changes; ends with it, the client, or the server."""
    before: str | None = None
    while not service.stopping.is_set():
        view = await run_in_threadpool(service.submission, user, number)
        short = view.model_dump_json(include={"state", "ended", "position", "progress", "attempt", "why", "iou"})
        if short != before:
            before = short
            yield ServerSentEvent(raw_data=short, event="state")
        if view.ended or await request.is_disconnected():
            return
        await asyncio.sleep(POLL)


def _same_as(content: str, request: Request, response: Response) -> None:
    """Give the answer an ETag. Errors: 304 where the client has it already."""
    tag = f'"{hashlib.sha256(content.encode()).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        raise ApiError(304, "", headers={"ETag": tag})
    response.headers["ETag"] = tag
