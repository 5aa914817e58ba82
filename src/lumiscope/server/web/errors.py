"""One shape for everything that goes wrong: what, why, and every fault with what was expected and what came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from lumiscope.errors import LumiscopeError

CODES = {
    400: "bad_request",
    401: "no_token",
    403: "not_allowed",
    404: "not_found",
    405: "wrong_method",
    409: "conflict",
    412: "changed_meanwhile",
    413: "too_large",
    415: "wrong_type",
    422: "refused",
    429: "too_many",
    503: "not_ready",
}


class Fault(BaseModel):
    """One thing that is wrong. `where`: an image, an option, a field. `expected`, `came`: in words."""

    where: str
    expected: str
    came: str


class Problem(BaseModel):
    """What every answer with a status of 400 or more holds. `request_id`: under which the log has it."""

    code: str
    message: str
    faults: list[Fault] = []
    request_id: str = ""


class ApiError(Exception):
    """An answer with a status of 400 or more. `headers`: of the answer."""

    def __init__(
        self, status: int, message: str, faults: Sequence[Fault] = (), headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.faults = list(faults)
        self.headers = headers


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": code.replace("_", " ")} for status, code in CODES.items()
}
"""What a route may answer, for OpenAPI."""


def problem(
    request: Request,
    status: int,
    message: str,
    faults: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """The answer."""
    request_id = getattr(request.state, "request_id", "")
    content = Problem(
        code=CODES.get(status, "failed"), message=message, faults=list(faults), request_id=request_id
    ).model_dump()
    return JSONResponse(content, status, headers)


def handle_errors(app: FastAPI) -> None:
    """Let `app` answer every error in the one shape."""

    @app.exception_handler(ApiError)
    async def of_api(request: Request, error: ApiError) -> JSONResponse:
        return problem(request, error.status, error.message, error.faults, error.headers)

    @app.exception_handler(LumiscopeError)
    async def of_lumiscope(request: Request, error: LumiscopeError) -> JSONResponse:
        return problem(request, 422, str(error))

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> JSONResponse:
        return problem(request, error.status_code, str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def of_fields(request: Request, error: RequestValidationError) -> JSONResponse:
        faults = [
            Fault(
                where=".".join(map(str, fault["loc"])),
                expected=str(fault["msg"]),
                came=repr(fault.get("input"))[:100],
            )
            for fault in error.errors()
        ]
        return problem(request, 422, "the request is not as described at /docs", faults)
