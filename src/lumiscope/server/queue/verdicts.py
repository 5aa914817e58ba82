"""What a child says of a submission is believed when it can be: everything that ranks is checked here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from lumiscope.errors import LumiscopeError
from lumiscope.server.database import ChallengeRow, Score
from lumiscope.server.queue.challenges import ChallengeFacts

BOUNDS = {"iou": (0.0, 1.0), "adjusted": (-1e6, 1.0), "faithfulness": (-1e6, 1e6)}
MOST_FAULTS, LONGEST_TEXT = 1_000, 2_000
SLACK = 1e-9  # of a computed quantity beyond its bound
MOST_PASSES = 2**53
COLUMNS = ("name", "iou", "adjusted", "faithfulness", "passes", "seconds_cpu", "reason")
"""What is kept of an image: a child that was taken over has nowhere else to put a mask."""
LONGEST_REASON = 500


class VerdictError(LumiscopeError):
    """A verdict that cannot be believed: the scorer is at fault, or its child was taken over."""


def faults_of(verdict: Mapping[str, Any]) -> list[dict[str, str]]:
    """The faults of a rejection: [{where, expected, came}], cut to what a page can show."""
    faults = verdict.get("faults")
    if not isinstance(faults, list) or not faults or not all(isinstance(fault, Mapping) for fault in faults):
        raise VerdictError("a rejection has a list of faults, at least one")
    parts = ("where", "expected", "came")
    return [{part: str(fault.get(part, ""))[:LONGEST_TEXT] for part in parts} for fault in faults[:MOST_FAULTS]]


def score_row(scores: Any, challenge: ChallengeRow | ChallengeFacts) -> Score:
    """The row of {"images": [{name, iou, adjusted, passes, …}]}, without its submission.

    Errors: `VerdictError` unless it has each image of the challenge once, with a finite IoU in [0, 1].
    """
    rows = scores.get("images") if isinstance(scores, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise VerdictError("scores have a list of images")
    by_name = {str(row.get("name")): {column: row.get(column) for column in COLUMNS} for row in rows}
    expected = [*challenge.public, *challenge.hidden]
    if len(rows) != len(expected) or set(by_name) != set(expected):
        raise VerdictError(f"expected scores of the {len(expected)} images of {challenge.name}; got {len(rows)}")
    for row in by_name.values():
        _check(row)
    public, hidden = ([by_name[name] for name in names] for names in (challenge.public, challenge.hidden))
    return Score(
        scorer_version=challenge.scorer_version,
        scorer_fingerprint=challenge.scorer_fingerprint,
        challenge_fingerprint=challenge.fingerprint,
        public=public,
        hidden=hidden,
        public_mean=_mean(public),
        hidden_mean=_mean(hidden),
        passes=_passes(by_name.values()),
        cpu_seconds=math.fsum(float(row.get("seconds_cpu") or 0) for row in by_name.values()),
    )


def _check(row: Mapping[str, Any]) -> None:
    name, reason = row["name"], row["reason"]
    if reason is not None and not (isinstance(reason, str) and len(reason) <= LONGEST_REASON):
        raise VerdictError(f"{name}: a reason is a text of up to {LONGEST_REASON} characters")
    for measure, (low, high) in BOUNDS.items():
        value = row.get(measure)
        if value is None and measure != "iou":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not low - SLACK <= value <= high + SLACK:
            raise VerdictError(f"{name}: expected its {measure} between {low:g} and {high:g}; got {value!r}")
    for count in ("passes", "seconds_cpu"):
        value = row.get(count) or 0
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MOST_PASSES:
            raise VerdictError(f"{name}: expected its {count} to be 0 or more; got {value!r}")


def _mean(rows: list[dict[str, Any]]) -> float | None:
    return math.fsum(row["iou"] for row in rows) / len(rows) if rows else None


def _passes(rows: Iterable[Mapping[str, Any]]) -> int | None:
    """In all; None where those of an image are not known."""
    passes = [row["passes"] for row in rows]
    return None if None in passes else sum(map(int, passes))
