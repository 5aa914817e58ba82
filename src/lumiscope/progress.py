"""How long work reports on itself without printing: a `Track` wraps an iterable; the command line draws it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Track(Protocol):
    """Wrap `items` so that each one taken moves a progress bar called `description` towards `total`."""

    def __call__(self, items: Iterable[T], description: str, total: int) -> Iterator[T]:
        """Yield the items one by one."""
        ...


def silent(items: Iterable[T], description: str, total: int) -> Iterator[T]:
    """Track nothing: the default everywhere."""
    yield from items
