"""Which image a name in a file means, and what a file calls an image."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from lumiscope.counts import first_few
from lumiscope.errors import UsageError
from lumiscope.images import ImageItem, composed
from lumiscope.short_name import cut_in_middle

PICTURES = frozenset((".jpeg", ".jpg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"))
NAMED = 5  # how many images a note spells out


def names_of_images(names: Iterable[str], images: Sequence[ImageItem], source: str) -> dict[str, str]:
    """Image id -> the one of `names` that means it; images that none means are left out.

    A name is an image's id or file name, or matches it once folder, file ending and wnid are left away (`goldfish` is
    `n01443537_goldfish.JPEG`). `source`: the file, for errors.
    Errors: `UsageError` for a name that fits several images, and an image that several names fit.
    """
    meant: dict[str, str] = {}
    for name in names:
        item_id = _match(name, images, source)
        if item_id in meant:
            raise UsageError(f"{source}: {meant[item_id]!r} and {name!r} are both the image {item_id}: keep one")
        if item_id is not None:
            meant[item_id] = name
    return meant


def file_names(images: Sequence[ImageItem]) -> dict[str, str]:
    """Image id -> its name in a file: without the wnid, where that still tells it from the others."""
    short = [short_name(item.id) for item in images]
    return {item.id: name if short.count(name) == 1 else item.id for item, name in zip(images, short, strict=True)}


def short_name(name: str) -> str:
    """An image's name without folder, the ending of a picture file and wnid: goldfish of n01443537_goldfish.JPEG."""
    last = PurePosixPath(name.replace("\\", "/"))
    return re.sub(r"^n\d{8}_", "", last.stem if last.suffix.lower() in PICTURES else last.name)


def few(names: Sequence[str]) -> str:
    """The names in words, the first five of many."""
    return first_few(list(map(cut_in_middle, names)), NAMED)


def _match(name: str, images: Sequence[ImageItem], source: str) -> str | None:
    name = composed(name)
    exact = [item.id for item in images if name in (item.id, item.name)]
    alike = exact or [item.id for item in images if short_name(name) == short_name(item.id)]
    if len(alike) > 1:
        raise UsageError(f"{source}: {name!r} may be each of {first_few(alike, NAMED)}: write the whole name")
    return alike[0] if alike else None
