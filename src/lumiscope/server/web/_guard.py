"""What stands around every request: its size, its log line, and the headers that keep a browser in bounds."""

from __future__ import annotations

import json
import logging
import secrets
import time

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lumiscope.server.web._errors import CODES, Problem

logger = logging.getLogger("lumiscope.server")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class TooLarge(Exception):
    """A body that is longer than may be."""


class Guard:
    """Around `app`: bodies of at most `most_bytes`, a request id, security headers, and a structured log line.

    The line has neither query nor headers, in which tokens could stand. `scope["state"]` gets `request_id` and `nonce`,
    which the pages' one script carries.
    """

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self.app = app
        self.most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"], state["nonce"] = secrets.token_hex(8), secrets.token_urlsafe(16)
        started, status, came, begun = time.perf_counter(), 500, 0, False
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self.most_bytes:
                raise TooLarge
            return message

        async def guarded(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                begun, status = True, message["status"]
                message["headers"] = [*message["headers"], *_headers(state["nonce"], state["request_id"])]
            await send(message)

        try:
            if not declared.isdigit() or int(declared) > self.most_bytes:
                raise TooLarge
            await self.app(scope, counted, guarded)
        except TooLarge:
            if not begun:
                await _refusal(state["request_id"], self.most_bytes)(scope, receive, guarded)
        finally:
            route = getattr(scope.get("route"), "path", scope["path"][:200])
            line = {
                "request": state["request_id"],
                "method": scope["method"],
                "route": route,
                "status": status,
                "bytes": came,
                "ms": round(1000 * (time.perf_counter() - started), 1),
            }
            logger.info(json.dumps(line))


def _headers(nonce: str, request_id: str) -> list[tuple[bytes, bytes]]:
    policy = (
        f"default-src 'none'; style-src 'self'; script-src 'nonce-{nonce}'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = HEADERS | {"Content-Security-Policy": policy, "X-Request-Id": request_id}
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _refusal(request_id: str, most_bytes: int) -> JSONResponse:
    message = f"expected at most {most_bytes:,} bytes; more came. Hand in fewer or smaller maps."
    problem = Problem(code=CODES[413], message=message, request_id=request_id)
    return JSONResponse(problem.model_dump(), 413)
