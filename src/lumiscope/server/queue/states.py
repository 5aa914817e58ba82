"""The states of a submission, and which may follow which."""

from __future__ import annotations

from enum import StrEnum

from lumiscope.errors import LumiscopeError


class State(StrEnum):
    """Where a submission is. Only what is `scored`, and is no copy, counts against the daily quota."""

    RECEIVED = "received"
    VALIDATED = "validated"
    QUEUED = "queued"
    RUNNING = "running"
    SCORED = "scored"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return not NEXT[self]


NEXT: dict[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.VALIDATED, State.REJECTED, State.CANCELLED}),
    State.VALIDATED: frozenset({State.QUEUED, State.SCORED, State.REJECTED, State.CANCELLED}),
    State.QUEUED: frozenset({State.RUNNING, State.SCORED, State.CANCELLED}),
    State.RUNNING: frozenset({State.QUEUED, State.SCORED, State.REJECTED, State.FAILED, State.CANCELLED}),
    State.SCORED: frozenset(),
    State.REJECTED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""From `validated` or `queued` straight to `scored` goes what has the very bytes of something that has a score."""

UNDER_WAY = tuple(state for state in State if not state.is_final)


class TransitionError(LumiscopeError):
    """A submission cannot go from the state that it is in to the one asked for."""
