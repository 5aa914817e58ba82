"""Two clocks: one that says what time it is and may jump, one that only says how long something took."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the server gets its time from; tests give their own."""

    def now(self) -> datetime:
        """The time of day, in UTC. It may jump either way."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment, the same one for the life of the process; never goes back."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since this machine was started, or some such moment."""
        return time.monotonic()
