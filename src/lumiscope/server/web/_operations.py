"""For whoever runs the server: does it live, is it ready, and what does it count."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from lumiscope.server._service import Service
from lumiscope.server.web._errors import ApiError
from lumiscope.server.web._users import service_of

router = APIRouter(include_in_schema=False)
The = Annotated[Service, Depends(service_of)]


@router.get("/livez")
def livez() -> PlainTextResponse:
    """The process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def readyz(service: The) -> PlainTextResponse:
    """The database answers, and the server is not stopping. Errors: 503."""
    why = service.not_ready()
    if why:
        raise ApiError(503, why)
    return PlainTextResponse("ok\n")


@router.get("/metrics")
def metrics(service: The) -> PlainTextResponse:
    """Counts for Prometheus: submissions by state, and how long the oldest of each has been there."""
    registry = CollectorRegistry()
    count = Gauge("lumiscope_submissions", "Submissions by state", ["state"], registry=registry)
    oldest = Gauge("lumiscope_oldest_seconds", "How long the oldest is in its state", ["state"], registry=registry)
    for state, (submissions, seconds) in service.queue_facts().items():
        count.labels(state).set(submissions)
        oldest.labels(state).set(seconds)
    return PlainTextResponse(generate_latest(registry), media_type="text/plain; version=0.0.4")
