"""What a worker does with a submission: a child scores it, and what the child says is checked before it counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lumiscope.errors import LumiscopeError
from lumiscope.server.challenges import Challenge
from lumiscope.server.isolation import TORCH_BYTES, ChildLimits, ChildResult, Isolation, run_child
from lumiscope.server.queue import Claimed, Pulse
from lumiscope.server.scoring import SCORED, Scores, truth_parts
from lumiscope.server.scoring.uploads import UPLOAD

ENTRY = "lumiscope.server.scoring:score_parts"
WALL = 3  # times the CPU seconds that a hand-in may use: machines are shared
OVER_LIMITS = ("out of time", "out of memory")


class ScoringError(LumiscopeError):
    """The child did not give a verdict, which is not the sender's fault."""


@dataclass(frozen=True)
class Scoring:
    """Scores submissions, each in a child under `isolation`. `challenges()`: by name, as they are now: an organiser may
    edit one while the worker lives."""

    challenges: Callable[[], Mapping[str, Challenge]]
    isolation: Isolation

    def __call__(self, claimed: Claimed, pulse: Pulse) -> dict[str, Any] | None:
        """What the queue is told; None where `pulse` says that nobody wants it any more.

        Errors: `ScoringError`; `LumiscopeError` for a challenge that is not here, or whose truth cannot be read.
        """
        challenge = self.challenges().get(claimed.challenge)
        if challenge is None or challenge.fingerprint != claimed.challenge_fingerprint:
            raise LumiscopeError(f"this worker has not the edition of {claimed.challenge} that is to be scored")
        result = run_child(
            self.isolation,
            ENTRY,
            {"challenge": str(challenge.folder), "name": claimed.name},
            {UPLOAD: claimed.content, **truth_parts(challenge)},
            ChildLimits(
                memory_bytes=max(challenge.limits.memory_bytes, TORCH_BYTES),
                cpu_seconds=challenge.limits.seconds,
                wall_seconds=WALL * challenge.limits.seconds,
            ),
            readable=_readable(challenge),
            on_progress=pulse,
            stopped=lambda: not pulse(),
        )
        if result.state == "killed" and not pulse():
            return None
        return _verdict(result, challenge)


def _readable(challenge: Challenge) -> list[Path]:
    """What the child may read: the pictures and the model, not the truth."""
    paths = [challenge.folder / "challenge.toml", challenge.folder / "images"]
    named = [path for path in (challenge.model.weights, challenge.model.classes) if isinstance(path, str)]
    return paths + [Path(path) for path in named if Path(path).exists()]


def _verdict(result: ChildResult, challenge: Challenge) -> dict[str, Any]:
    if result.state in OVER_LIMITS:
        expected = (
            f"to be scored within {challenge.limits.seconds} CPU seconds and {challenge.limits.memory_bytes:,} bytes"
        )
        return {
            "state": "rejected",
            "faults": [{"where": "the whole file", "expected": expected, "came": result.error}],
        }
    if result.state != "done" or result.result is None:
        raise ScoringError(
            f"the scorer ended as {result.state!r}: {result.error}; its last words: {result.log_tail[-500:]}"
        )
    verdict = result.result
    if verdict.get("state") != SCORED:
        return verdict
    return {"state": SCORED, "scores": Scores.from_json(verdict["scores"], challenge).to_json()}
