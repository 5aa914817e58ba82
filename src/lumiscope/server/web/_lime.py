"""The contract of the course's server: `POST /lime` with a file and a token answers with two means."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Depends, File, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from lumiscope.server._service import Service, User
from lumiscope.server._views import LimeAnswer
from lumiscope.server.web._errors import RESPONSES, ApiError
from lumiscope.server.web._users import service_of, user_of_token

WAIT = 60.0  # seconds that an answer is waited for
POLL = 0.25
router = APIRouter(responses=RESPONSES)


@router.post("/lime", response_model=LimeAnswer, responses={202: {"description": "Not scored yet: a link to follow."}})
async def lime(
    service: Annotated[Service, Depends(service_of)],
    user: Annotated[User, Depends(user_of_token)],
    file: Annotated[UploadFile, File(description="Parameters of LIME: explain_params.pkl, JSON or TOML.")],
) -> Response:
    """Hand in to the first challenge, and wait up to a minute for its score; after that 202 with a link."""
    content = await file.read()
    challenge = service.first_challenge
    view = await run_in_threadpool(
        service.hand_in, user, challenge.name, file.filename or "explain_params.pkl", content, None
    )
    until = time.monotonic() + WAIT
    while not view.ended and time.monotonic() < until and not service.stopping.is_set():
        await asyncio.sleep(POLL)
        view = await run_in_threadpool(service.submission, user, view.id)
    link = f"/api/v1/submissions/{view.id}"
    if view.state == "scored" and view.scores is not None and view.scores.iou is not None:
        seconds = view.scores.cpu_seconds / len(challenge.images)
        return JSONResponse({"avg_iou": view.scores.iou, "avg_time": seconds})
    if view.ended:
        raise ApiError(422, view.why or f"the submission was {view.state}", view.faults)
    return JSONResponse({"state": view.state, "follow": link}, 202, {"Location": link})
