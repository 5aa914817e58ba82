"""What is at each pixel of an image: label maps from the built-in world or from a folder."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lumiscope.concepts import category_of_kind
from lumiscope.errors import ImageError
from lumiscope.images.image_item import ImageItem
from lumiscope.images.label_folder import LabelFolder
from lumiscope.images.world_image import WorldImage
from lumiscope.world import WORDS

Labels = NDArray[np.integer[Any]]
Numbered = Sequence[tuple[str, int, str]]
SHOWN = 3


class LabelSource(Protocol):
    """Where label maps come from. `concepts`: kind, number and word of each concept, in order."""

    @property
    def concepts(self) -> Numbered:
        """(kind, number, word) of each concept."""
        ...

    def check(self, images: Iterable[ImageItem]) -> None:
        """Raise ImageError where the source is none for `images`; nothing is decoded."""
        ...

    def annotated_kinds(self, item: ImageItem) -> tuple[str, ...]:
        """The kinds of which there is a map; nothing is decoded."""
        ...

    def label_maps(self, item: ImageItem) -> Mapping[str, Labels]:
        """A map of numbers for each annotated kind."""
        ...

    def digest(self, item: ImageItem) -> str:
        """Hex digest of everything that the maps of an image depend on."""
        ...


@dataclass(frozen=True, eq=False)
class Annotations:
    """Label maps of images and what their numbers mean; K concepts.

    A word that is of two kinds, such as an object that is also a part, is one concept for each: concepts differ in
    kind or word. `images`: those that were asked for; any other image of the same source may be looked up, too.
    """

    source: LabelSource
    images: Sequence[ImageItem] = ()

    @functools.cached_property
    def words(self) -> tuple[str, ...]:
        """(K,) the word of each concept."""
        return tuple(word for _, _, word in self.source.concepts)

    @functools.cached_property
    def kinds(self) -> tuple[str, ...]:
        """(K,) the kind of each concept: the name of the label maps that it is in."""
        return tuple(kind for kind, _, _ in self.source.concepts)

    @functools.cached_property
    def categories(self) -> tuple[str, ...]:
        """(K,) the kind as one of `lumiscope.concepts.CATEGORIES`; "other" for a kind that is none."""
        return tuple(category_of_kind(kind) for kind in self.kinds)

    @functools.cached_property
    def numbers(self) -> Mapping[str, Mapping[int, int]]:
        """Kind -> number in its label maps -> index of the concept, 0 to K - 1."""
        index_of: dict[str, dict[int, int]] = {}
        for index, (kind, number, _) in enumerate(self.source.concepts):
            index_of.setdefault(kind, {})[number] = index
        return MappingProxyType(index_of)

    @functools.cached_property
    def concepts_fingerprint(self) -> str:
        """Hex SHA-256 of kinds, numbers and words, in order."""
        return hashlib.sha256(json.dumps([list(concept) for concept in self.source.concepts]).encode()).hexdigest()

    def check(self, images: Iterable[ImageItem]) -> None:
        """Raise ImageError where the source is none for `images`; nothing is decoded."""
        self.source.check(images)

    def digest(self, item: ImageItem) -> str:
        """Hex digest of everything that the label maps of `item` depend on."""
        return self.source.digest(item)

    def annotated_kinds(self, item: ImageItem) -> tuple[str, ...]:
        """The kinds that are annotated on `item`; nothing is decoded."""
        return self.source.annotated_kinds(item)

    def label_maps(self, item: ImageItem) -> Mapping[str, Labels]:
        """Kind -> (H, W) whole numbers at the size of the upright image, 0: nothing of that kind.

        Kinds that are not annotated on `item` are absent. Every number is 0 or in `numbers`.
        Raises ImageError for a map that cannot be read, has another size than the image, or an unknown number.
        """
        return self.source.label_maps(item)


@dataclass(frozen=True)
class WorldLabels:
    """The label maps of the world's own pictures; see `LabelSource`."""

    @property
    def concepts(self) -> Numbered:
        """Every word of the world."""
        return [(kind, number, word) for kind, words in WORDS.items() for number, word in enumerate(words, 1)]

    def check(self, images: Iterable[ImageItem]) -> None:
        """Raise ImageError for images that are not of the world."""
        foreign = [item for item in images if not isinstance(item, WorldImage)]
        if foreign:
            raise _foreign(foreign)

    def annotated_kinds(self, item: ImageItem) -> tuple[str, ...]:
        """All kinds."""
        self.check([item])
        return tuple(WORDS)

    def label_maps(self, item: ImageItem) -> Mapping[str, Labels]:
        """(128, 128) uint8 for each kind."""
        if not isinstance(item, WorldImage):
            raise _foreign([item])
        return item.label_maps

    def digest(self, item: ImageItem) -> str:
        """The image's own digest: of index, seed and the renderer's version."""
        self.check([item])
        return item.sha256


def _foreign(items: Sequence[ImageItem]) -> ImageError:
    names = ", ".join(item.name for item in items[:SHOWN]) + (", …" if len(items) > SHOWN else "")
    images = "image does" if len(items) == 1 else "images do"
    return ImageError(
        f"only pictures of the world (world:COUNT) come with annotations; {len(items)} {images} not: {names}. Name a "
        "folder that has concepts.csv and labels/KIND/IMAGE.png"
    )


def open_annotations(source: str | Path | None, images: Sequence[ImageItem] = ()) -> Annotations:
    """Return the annotations of `images`.

    `source`: None or "world": the world's own; else a folder as `lumiscope world` writes it, or one like it:
    `concepts.csv` with the columns kind, number and word, and `labels/KIND/IMAGE.png`. IMAGE is the image's name
    without its ending: with its folders (`cat/1`), or its id, which is the file name alone where no two are alike. The
    pixels of a PNG (grey of 8 or 16 bits, or a palette) are numbers of that kind, 0 for nothing. What has the word void
    or ignore is read as 0, and so is 255 (65535 in 16 bits) where it is not listed. An image that has no PNG of a kind
    is not annotated with that kind.

    Raises ImageError where the source is not such a folder or has no map for any of `images`, where a map may be that
    of either of two images of one file name, or where it is the world and some of `images` are not.
    """
    annotations = Annotations(
        WorldLabels() if source is None or str(source) == "world" else LabelFolder(Path(source).expanduser()), images
    )
    annotations.check(images)
    return annotations
