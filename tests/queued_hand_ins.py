"""What tests of the queue hand in, and how a pretended scorer judges it. No models, no pictures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lumiscope.server.database import Database, People
from lumiscope.server.queue import ChallengeFacts, Claimed, Queue

PUBLIC = ("p0", "p1")
HIDDEN = ("h0", "h1", "h2", "h3", "h4")


class HandClock:
    """Both clocks, moved by hand, each on its own."""

    def __init__(self) -> None:
        self.time, self.seconds = datetime(2026, 11, 30, 12, tzinfo=UTC), 0.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    def pass_seconds(self, seconds: float) -> None:
        self.seconds += seconds
        self.time += timedelta(seconds=seconds)


def facts(**changes: Any) -> ChallengeFacts:
    values = {
        "name": "world", "title": "World", "fingerprint": "f1", "scorer_version": 1, "scorer_fingerprint": "s1",
        "public": PUBLIC, "hidden": HIDDEN, "scored_a_day": 3, "rejected_a_day": 5, "upload_bytes": 100,
    }  # fmt: skip
    return ChallengeFacts(**values | changes)


def new_queue(database: Database, clock: Any = None, users: Sequence[str] = ("ada", "bob"), **options: Any) -> Queue:
    queue = Queue(database, clock, **options)
    queue.register(facts())
    for user in users:
        People(database).add(user)
    return queue


def scores(hidden: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5), public: Sequence[float] = (0.5, 0.7)) -> dict[str, Any]:
    values = dict(zip(PUBLIC + HIDDEN, [*public, *hidden], strict=True))
    return {
        "images": [
            {"name": name, "iou": iou, "adjusted": iou - 0.2, "faithfulness": None, "passes": 10, "seconds_cpu": 0.5}
            for name, iou in values.items()
        ]
    }


def scored(*hidden: float) -> dict[str, Any]:
    return {"state": "scored", "scores": scores(hidden) if hidden else scores()}


def rejected() -> dict[str, Any]:
    fault = {"where": "h0", "expected": "a map of 10 x 10", "came": "one of 3 x 3"}
    return {"state": "rejected", "faults": [fault, fault | {"where": "h1"}]}


def taken(queue: Queue, worker: str = "w") -> Claimed:
    claimed = queue.claim(worker)
    assert claimed is not None
    return claimed
