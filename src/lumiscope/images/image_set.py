"""The images of a study, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

from lumiscope.images.image_item import ImageItem
from lumiscope.images.skipped import Skipped


@dataclass(frozen=True, eq=False)
class ImageSet(Sequence[ImageItem]):
    """Images that can be decoded, with unique ids; a sequence of `ImageItem`, whose slices are image sets.

    `source`: what the user gave. `skipped`: images and masks that were left out. `notes`: what else a reader must
    know, such as files listed twice.
    """

    items: tuple[ImageItem, ...]
    source: str
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[ImageItem]:
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> ImageItem: ...
    @overload
    def __getitem__(self, index: slice) -> ImageSet: ...
    def __getitem__(self, index: int | slice) -> ImageItem | ImageSet:
        if isinstance(index, slice):
            return replace(self, items=self.items[index])
        return self.items[index]
