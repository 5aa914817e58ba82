"""The application: routes around one service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.types import ASGIApp

from lumiscope.server._service import Service
from lumiscope.server.web import _api, _lime, _operations, _pages
from lumiscope.server.web._errors import handle_errors
from lumiscope.server.web._guard import Guard

EXTRA_BYTES = 64 * 1024  # of a form around a file
DESCRIPTION = """Hand in parameters of explanation methods, saliency maps or masks, and follow how they are scored.

A token (`lsk_…`) goes into the header `Authorization: Bearer …`. Every error has one shape: `code`, `message`, and
`faults` with what was expected and what came."""


def make_app(service: Service) -> ASGIApp:
    """The web application of a service; no upload is decoded in it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.stopping.set()

    app = FastAPI(
        title="lumiscope server",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
    )
    app.state.service = service
    handle_errors(app, _pages.wrong)
    for routes in (_api.router, _lime.router, _operations.router, _pages.router):
        app.include_router(routes)

    @app.get("/docs", include_in_schema=False)
    def docs(request: Request) -> HTMLResponse:
        return _pages.page(request, "docs", None, routes=_routes(app), description=DESCRIPTION)

    return Guard(app, service.most_bytes + EXTRA_BYTES)


def _routes(app: FastAPI) -> list[dict[str, str]]:
    """What the API offers, for people."""
    return [
        {"method": method.upper(), "path": path, "summary": str(what.get("description", ""))}
        for path, methods in app.openapi()["paths"].items()
        for method, what in methods.items()
    ]
