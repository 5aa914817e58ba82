"""One shape for everything that goes wrong: what, why, and every fault with what was expected and what came."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from lumiscope.errors import LumiscopeError, StoreError, UnknownNameError
from lumiscope.server._service import UnknownSubmissionError
from lumiscope.server._views import FaultView
from lumiscope.server.database import DatabaseBusyError
from lumiscope.server.queue import KeyReusedError, QuotaError, TransitionError

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

STATUSES: dict[type[LumiscopeError], int] = {
    UnknownNameError: 404,
    UnknownSubmissionError: 404,
    KeyReusedError: 409,
    TransitionError: 409,
    QuotaError: 429,
    DatabaseBusyError: 503,
    StoreError: 503,
}
"""What errors of the rooms below are to a browser: the first that fits; 422 for all others."""


class Problem(BaseModel):
    """What every answer with a status of 400 or more holds. `request_id`: under which the log has it."""

    code: str
    message: str
    faults: list[FaultView] = []
    request_id: str = ""


class ApiError(Exception):
    """An answer with a status of 400 or more. `headers`: of the answer."""

    def __init__(
        self, status: int, message: str, faults: Sequence[FaultView] = (), headers: dict[str, str] | None = None
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


Page = Callable[[Request, int, str], Response]
"""Shows an error to somebody who looks at a page: (request, status, message)."""


def handle_errors(app: FastAPI, page: Page) -> None:
    """Let `app` answer every error in the one shape, and with a `page` where a browser shows it to somebody."""

    def problem(
        request: Request,
        status: int,
        message: str,
        faults: Sequence[FaultView] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        if status < 400:
            return Response(status_code=status, headers=headers)
        if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/"):
            return page(request, status, message)
        request_id = getattr(request.state, "request_id", "")
        content = Problem(code=CODES.get(status, "failed"), message=message, faults=list(faults), request_id=request_id)
        return JSONResponse(content.model_dump(), status, headers)

    @app.exception_handler(ApiError)
    async def of_api(request: Request, error: ApiError) -> Response:
        return problem(request, error.status, error.message, error.faults, error.headers)

    @app.exception_handler(LumiscopeError)
    async def of_lumiscope(request: Request, error: LumiscopeError) -> Response:
        status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 422)
        headers = {}
        if isinstance(error, QuotaError):
            headers["Retry-After"] = str(max(1, round((error.quota.resets_at - datetime.now(UTC)).total_seconds())))
        return problem(request, status, str(error), headers=headers)

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        return problem(request, error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def of_fields(request: Request, error: RequestValidationError) -> Response:
        faults = [
            FaultView(
                where=".".join(map(str, fault["loc"])),
                expected=str(fault["msg"]),
                came=repr(fault.get("input"))[:100],
            )
            for fault in error.errors()
        ]
        return problem(request, 422, "the request is not as described at /docs", faults)
