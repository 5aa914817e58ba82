"""What tasks have in common that work on images one by one, any of which may be left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.study.open_study import OpenStudy

Item = TypeVar("Item")


@dataclass(frozen=True)
class ImageTask:
    """A task about images. `model`: that works on them, "" for none in particular. `items`: ids of the images."""

    model: str
    items: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The model."""
        return self.model

    @property
    def steps(self) -> int:
        """One for each image."""
        return len(self.items)

    def part(self, items: Sequence[str]) -> Self:
        """The same for some of the images."""
        return replace(self, items=tuple(items))

    def lacking(self, study: OpenStudy) -> Sequence[ImageItem]:
        """No image has to be made ready."""
        return ()


def batches(items: Sequence[Item], size: int) -> Iterator[tuple[Item, ...]]:
    """`size` items at a time, in order; the last time those that are left."""
    for start in range(0, len(items), size):
        yield tuple(items[start : start + size])
