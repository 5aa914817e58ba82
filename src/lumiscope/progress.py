"""How long work reports on itself without printing: a `Track` wraps an iterable; the command line draws it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self, TypeVar

T = TypeVar("T")


class Track(Protocol):
    """Wrap `items` so that each one taken moves a progress bar called `description` towards `total`.

    Bars may begin while others run. One is over when its items are, or when the wrapped iterable is let go of.
    """

    def __call__(self, items: Iterable[T], description: str, total: int) -> Iterator[T]:
        """Yield the items one by one."""
        ...


def silent(items: Iterable[T], description: str, total: int) -> Iterator[T]:
    """Track nothing: the default everywhere."""
    yield from items


class Steps:
    """A progress bar for work that is no loop over items. Used with `with`; there from the beginning, gone at the end.

    `track`: draws it. `total`: how many steps there are.
    """

    def __init__(self, track: Track, description: str, total: int) -> None:
        self._reached = 0
        self._bar: Iterator[int] = iter(track(range(total), description, total))
        next(self._bar, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._bar = iter(())  # what nobody holds any more ends

    def reach(self, number: int) -> None:
        """So many steps are done. The bar never goes back: work that is tried again moves it when it comes further."""
        while self._reached < number:
            next(self._bar, None)
            self._reached += 1


@contextmanager
def counted(
    make: Callable[[int, int], T], track: Track, description: str, count: int
) -> Iterator[Callable[[int, int], T]]:
    """`make(start, stop)`, which makes a few of `count` things at a time, with a bar that stands at `start`."""
    with Steps(track, description, count) as steps:

        def make_and_move(start: int, stop: int) -> T:
            steps.reach(start)
            return make(start, stop)

        yield make_and_move
