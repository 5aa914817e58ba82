"""Pictures that go through a network for one explanation, counted before they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class TooManyPassesError(Exception):
    """An explanation asks for more than it may. `asked`: how many, as far as it came."""

    def __init__(self, asked: int) -> None:
        super().__init__(asked)
        self.asked = asked


class Passes:
    """A `Track` that counts what methods announce, and refuses what is more than `most`. The view itself is one."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 1

    def __call__(self, items: Iterable[T], description: str, total: int) -> Iterator[T]:
        """Yield the items. Errors: `TooManyPassesError`, before the first."""
        self.count += total
        if self.count > self.most:
            raise TooManyPassesError(self.count)
        return iter(items)
