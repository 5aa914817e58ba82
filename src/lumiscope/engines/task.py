"""A piece of work by name: what an engine sends to wherever it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self, TypeVar

Place = TypeVar("Place", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)
Report = Callable[[int], None]
"""So many steps of the task are done."""


class Task(Protocol[Place, Result_co]):
    """A piece of work. It names what it works on, so it can be pickled and done anywhere, and again.

    A task of several `items` (ids of images) can be cut into tasks of fewer, which together do the same.
    """

    @property
    def key(self) -> str:
        """Unique among the tasks that are mapped together."""
        ...

    @property
    def items(self) -> Sequence[str]:
        """What it works on; empty where it is about nothing that could be left out."""
        ...

    @property
    def subject(self) -> str:
        """What is at fault where none of the items can be worked on, such as a model; "" for nothing in particular."""
        ...

    @property
    def steps(self) -> int:
        """How many steps of progress it takes."""
        ...

    def part(self, items: Sequence[str]) -> Self:
        """The same for some of its items."""
        ...

    def lacking(self, place: Place) -> Sequence[Any]:
        """What must be made ready before it is done, such as images that it will look at; see `WorkPlace`."""
        ...

    def run(self, place: Place, report: Report) -> Result_co:
        """Do it. `place`: models, images and what is kept, in whatever process this is."""
        ...


AnyTask = Task[Any, Any]
