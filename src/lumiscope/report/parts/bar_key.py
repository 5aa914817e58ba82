"""What the marks of bars mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BarKey:
    """The key of bars that show an IoU. `has_interval`: whether they have whiskers."""

    has_interval: bool
