"""A server in a folder, with a challenge of four pictures whose scorer runs in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `server` is not installed")

from starlette.testclient import TestClient

from lumiscope.server._service import Service
from lumiscope.server.challenges import Challenge
from lumiscope.server.database import Database
from lumiscope.server.queue import Claimed, Queue, Worker
from lumiscope.server.web import make_app

SECRET = bytes(32)


def verdict_of(challenge: Challenge, iou: float) -> dict[str, Any]:
    """That every image has this IoU."""
    images = [
        {
            "name": name,
            "iou": iou,
            "adjusted": iou,
            "faithfulness": 0.5,
            "passes": 10,
            "seconds_cpu": 0.25,
            "reason": "",
        }
        for name in challenge.names
    ]
    return {"state": "scored", "scores": {"images": images}}


@pytest.fixture
def service(tmp_path: Path, without_baselines: Challenge) -> Iterator[Service]:
    database = Database(f"sqlite:///{tmp_path / 'server.sqlite'}")
    database.create()
    service = Service(database, {"world": without_baselines}, SECRET, {"name": "none", "strength": "weak"})
    service.prepare()
    yield service
    service.stopping.set()
    database.close()


@pytest.fixture
def browser(service: Service) -> Iterator[TestClient]:
    with TestClient(make_app(service), base_url="http://testserver", follow_redirects=False) as client:
        yield client


@pytest.fixture
def ada(service: Service) -> dict[str, str]:
    """The headers of a submitter."""
    return {"Authorization": f"Bearer {service.make_token('ada')}"}


@pytest.fixture
def score(service: Service, challenge: Challenge) -> Callable[..., None]:
    """Score all that waits: with an IoU, or with faults."""

    def all_of_it(iou: float = 0.5, faults: list[dict[str, str]] | None = None) -> None:
        import threading

        def run(claimed: Claimed, _: object) -> dict[str, Any]:
            return {"state": "rejected", "faults": faults} if faults else verdict_of(challenge, iou)

        worker = Worker(Queue(service.queue.database), run)
        while worker.step(threading.Event()):
            pass

    return all_of_it
