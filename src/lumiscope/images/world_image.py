"""Pictures of the built-in world as images: drawn when they are looked at, never read."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lumiscope.errors import ImageError, UnknownNameError, UsageError
from lumiscope.images._drawings import draw_ahead, drawing
from lumiscope.images.image_item import ImageItem
from lumiscope.images.image_set import ImageSet
from lumiscope.progress import Track, silent
from lumiscope.types import BoolArray, ByteArray
from lumiscope.world import OBJECTS, SIZE, describe, renderer_version

SCHEME = "world:"
CAPTION = "caption"  # a column
MOST = 100_000
_SPEC = re.compile(r"world:([0-9]{1,12})(?:@([0-9]{1,10}))?(\+mark)?")
_ADDRESS = re.compile(r"world:([0-9]+)@([0-9]+)(?:\+(\w+))?#(\w+)")


def names_world(source: object) -> bool:
    """Tell whether an image source is a spec of the built-in world, good or bad."""
    return isinstance(source, str) and source.startswith(SCHEME)


def open_world(spec: str) -> ImageSet:
    """Return the first COUNT images of a seed, for `world:COUNT` (seed 0) or `world:COUNT@SEED`; nothing is drawn.

    With `+mark` at the end each picture has the mark of its own class in its corner, as `world:shortcut` learnt it.
    Raises UsageError for any other text and for a COUNT outside 1..100,000.
    """
    match = _SPEC.fullmatch(spec.strip())
    if match is None:
        raise UsageError(
            "expected images of the world as world:COUNT or world:COUNT@SEED, so world:12@3, with +mark at the end for "
            f"pictures with the mark of their class; got {spec}"
        )
    count, seed, marked = int(match[1]), int(match[2] or 0), bool(match[3])
    if not 1 <= count <= MOST:
        raise UsageError(f"expected 1 to {MOST:,} images of the world; got {spec}")
    describe(count - 1, seed)  # refuses a seed that is too large
    marks = (describe(index, seed).object if marked else None for index in range(count))
    return ImageSet(tuple(WorldImage(index, seed, mark) for index, mark in enumerate(marks)), spec.strip())


def world_image_at(address: str) -> WorldImage | None:
    """Return the image that `WorldImage.address` names; None for an address of another kind.

    Raises ImageError where it was drawn by another version of the renderer: its pixels cannot be had any more.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return None
    if match[4] != renderer_version():
        raise ImageError("drawn by another version of the world's renderer")
    return WorldImage(int(match[1]), int(match[2]), match[3])


class _Columns(Mapping[str, str]):
    """Facts of a picture and its caption, which takes a drawing: it is made for who asks for it."""

    def __init__(self, facts: Mapping[str, str], caption: Callable[[], str]) -> None:
        self._facts = facts
        self._caption = caption

    def __getitem__(self, name: str) -> str:
        return self._caption() if name == CAPTION else self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*self._facts, CAPTION))

    def __len__(self) -> int:
        return len(self._facts) + 1


@dataclass(frozen=True)
class WorldImage:
    """Image `index` of seed `seed`, 128×128 pixels; see `ImageItem`.

    Its class names are its main object and its scene; the mask covers the main object. `mark`: the class of objects
    whose mark is in its corner; None: there is no mark. Errors: `UnknownNameError` for a mark of no class.
    """

    index: int
    seed: int = 0
    mark: str | None = None

    def __post_init__(self) -> None:
        if self.mark is not None and self.mark not in OBJECTS:
            raise UnknownNameError("object", self.mark, OBJECTS)

    @property
    def id(self) -> str:
        """As "world-1-00012" for image 12 of seed 1, "world-1-00012-fish" with the mark of fish."""
        return f"world-{self.seed}-{self.index:05}" + ("" if self.mark is None else f"-{self.mark}")

    @property
    def name(self) -> str:
        """The id."""
        return self.id

    @property
    def path(self) -> Path:
        """The file name that `lumiscope world` gives it."""
        return Path(f"{self.id}.png")

    @property
    def address(self) -> str:
        """Index, seed, mark and the renderer's version."""
        marked = "" if self.mark is None else f"+{self.mark}"
        return f"{SCHEME}{self.index}@{self.seed}{marked}#{renderer_version()}"

    @property
    def mask_address(self) -> str:
        """The image's own address."""
        return self.address

    @property
    def label(self) -> None:
        """None: its class names say more than a number."""
        return None

    @property
    def class_names(self) -> tuple[str, str]:
        """The main object and the scene."""
        return self._facts["object"], self._facts["scene"]

    @property
    def class_name(self) -> str:
        """The main object."""
        return self.class_names[0]

    @property
    def columns(self) -> Mapping[str, str]:
        """The scene, colour and texture in words, and the caption."""
        facts = {name: word for name, word in self._facts.items() if name != "object"}
        return _Columns(facts, lambda: drawing(self.index, self.seed, self.mark).caption)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return SIZE, SIZE

    @property
    def pixels(self) -> ByteArray:
        """(128, 128, 3) uint8 RGB."""
        return drawing(self.index, self.seed, self.mark).pixels.copy()

    @property
    def has_mask(self) -> bool:
        """True."""
        return True

    @property
    def mask(self) -> BoolArray:
        """(128, 128) bool, True where the main object is seen."""
        return np.unpackbits(drawing(self.index, self.seed, self.mark).mask, axis=1).astype(bool)

    @property
    def has_void(self) -> bool:
        """False: what each pixel shows is known."""
        return False

    @property
    def void(self) -> BoolArray:
        """(128, 128) bool, False everywhere."""
        return np.zeros((SIZE, SIZE), np.bool_)

    @property
    def label_maps(self) -> Mapping[str, ByteArray]:
        """For each kind of word (scene, object, …) a (128, 128) map of its numbers; see `lumiscope.world.Scene`."""
        return drawing(self.index, self.seed, self.mark).label_maps()

    @functools.cached_property
    def sha256(self) -> str:
        """Hex digest of the renderer's version, seed, index and mark."""
        return hashlib.sha256(self.address.encode()).hexdigest()

    @property
    def mask_sha256(self) -> str:
        """As `sha256`."""
        return self.sha256

    @functools.cached_property
    def _facts(self) -> Mapping[str, str]:
        facts = describe(self.index, self.seed)
        return {"object": facts.object, "scene": facts.scene, "colour": facts.colour, "texture": facts.texture}


def prefetch(images: Iterable[ImageItem], *, track: Track = silent) -> None:
    """Prepare images that will be looked at, where that is faster for many: two processes draw those of the world."""
    draw_ahead(
        [(image.index, image.seed, image.mark) for image in images if isinstance(image, WorldImage)], track=track
    )
