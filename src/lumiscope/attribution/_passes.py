"""Progress of what goes through a model many times for one map."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from lumiscope.progress import Track, counted

T = TypeVar("T")
DESCRIPTION = "  forward passes"


def counted_passes(
    make: Callable[[int, int], T], track: Track, count: int
) -> AbstractContextManager[Callable[[int, int], T]]:
    """`make(start, stop)` of what goes through the model, a few of `count` at a time, with a progress bar."""
    return counted(make, track, DESCRIPTION, count)
