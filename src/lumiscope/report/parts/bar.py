"""A number in [0, 1] as a bar."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """A bar from 0 to `value` on a track from 0 to 1, a whisker from `low` to `high`, and marks of chance and ceiling.

    What is None or NaN is not drawn.
    """

    value: float
    low: float | None = None
    high: float | None = None
    chance: float | None = None
    ceiling: float | None = None
