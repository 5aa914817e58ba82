"""A folder of label maps: concepts.csv says what the numbers in labels/KIND/IMAGE.png mean."""

from __future__ import annotations

import csv
import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.errors import ImageError
from lumiscope.files import MOST_ROWS, refuse_odd_entry
from lumiscope.images.decode import decode_labels
from lumiscope.images.image_file import ImageFile
from lumiscope.images.image_item import ImageItem

LIST = "concepts.csv"
HEADER = ("kind", "number", "word")
MAPS = "labels"
LAYOUT = f"{LIST} (columns {', '.join(HEADER)}) and {MAPS}/KIND/IMAGE.png"
LARGEST = 2**31 - 1
MOST_COUNTED = 2**16
SHOWN = 3


@dataclass(frozen=True)
class LabelFolder:
    """Label maps in `folder`; see `lumiscope.images.open_annotations` for what lies there."""

    folder: Path

    @functools.cached_property
    def concepts(self) -> tuple[tuple[str, int, str], ...]:
        """(kind, number, word) of each concept, as `concepts.csv` lists them.

        Raises ImageError where the list is missing, is no such list, or says two things of one number.
        """
        path = self.folder / LIST
        rows = _rows(path)
        seen: dict[tuple[str, object], int] = {}
        for line, (kind, number, word) in rows:
            for key in ((kind, number), (kind, word)):
                first = seen.setdefault(key, line)
                if first != line:
                    raise ImageError(f"{path}, line {line}: {kind} {key[1]} stands in line {first} already; keep one")
        return tuple(row for _, row in rows)

    @functools.cached_property
    def _numbers(self) -> Mapping[str, set[int]]:
        """Kind -> the numbers that its maps may have, with 0."""
        numbers: dict[str, set[int]] = {}
        for kind, number, _ in self.concepts:
            numbers.setdefault(kind, {0}).add(number)
        return numbers

    def check(self, images: Iterable[ImageItem]) -> None:
        """Raise ImageError where no image has a map of any kind, and where some are label maps themselves."""
        kinds = tuple(self._numbers)
        if not (self.folder / MAPS).is_dir():
            raise ImageError(f"{self.folder} has no folder {MAPS}; expected {LAYOUT}")
        known = list(images)
        maps = (self.folder / MAPS).absolute()
        label_maps = [
            item.name for item in known if isinstance(item, ImageFile) and maps in item.path.absolute().parents
        ]
        if label_maps:
            # A folder that holds both gives both; a map would be compared with itself.
            raise ImageError(
                f"expected pictures; {len(label_maps)} of the {len(known)} images are label maps, as {label_maps[0]}. "
                "Name the folder of the pictures alone (the world's lie in DIR/images), a glob, or a CSV that lists "
                "them"
            )
        if known and not any(self.annotated_kinds(item) for item in known):
            raise ImageError(
                f"{self.folder} has no label map of any of the {len(known)} images, which are named like "
                f"{', '.join(item.name for item in known[:SHOWN])}. Expected {MAPS}/KIND/IMAGE.png, with a KIND of "
                f"{', '.join(kinds)} and IMAGE the image's file name without its ending"
            )

    def annotated_kinds(self, item: ImageItem) -> tuple[str, ...]:
        """The kinds of which there is a map for `item`."""
        return tuple(kind for kind in self._numbers if self._path(kind, item).is_file())

    def label_maps(self, item: ImageItem) -> Mapping[str, NDArray[np.integer[Any]]]:
        """The maps of `item`; see `Annotations.label_maps`."""
        size = item.size
        return {kind: self._label_map(kind, self._path(kind, item), size) for kind in self.annotated_kinds(item)}

    def digest(self, item: ImageItem) -> str:
        """Hex SHA-256 of the files with the maps of `item`."""
        digest = hashlib.sha256()
        for kind in self.annotated_kinds(item):
            content = self._path(kind, item).read_bytes()
            digest.update(f"{kind} {len(content)} ".encode() + content)
        return digest.hexdigest()

    def _path(self, kind: str, item: ImageItem) -> Path:
        # An id differs from the file's name only where two files of one name are in a set.
        by_id, by_name = (self.folder / MAPS / kind / f"{stem}.png" for stem in (item.id, item.path.stem))
        return by_id if by_id != by_name and by_id.is_file() else by_name

    def _label_map(self, kind: str, path: Path, size: tuple[int, int]) -> NDArray[np.integer[Any]]:
        try:
            labels = decode_labels(path)
        except ImageError as error:
            raise ImageError(f"{path}: {error}") from error
        if labels.shape != size:
            raise ImageError(
                f"{path}: it has {labels.shape[1]}×{labels.shape[0]} pixels, the image has {size[1]}×{size[0]} "
                "(upright); save the map at the size of its image"
            )
        unknown = sorted(set(numbers_in(labels)) - self._numbers[kind])
        if unknown:
            shown = ", ".join(map(str, unknown[:SHOWN])) + (", …" if len(unknown) > SHOWN else "")
            raise ImageError(
                f"{path}: number {shown} of kind {kind} is not in {self.folder / LIST}; add a row for it, or write 0 "
                "where nothing is meant. A map is a grey or palette PNG whose pixels are numbers"
            )
        return labels.astype(np.min_scalar_type(int(labels.max(initial=0))))


def numbers_in(labels: NDArray[np.integer[Any]]) -> list[int]:
    """The numbers that a label map has, 0 included, in ascending order; they are 0 or more."""
    # Counting takes a tenth of the time of sorting, and as many counters as the largest number.
    few = labels.max(initial=0) <= MOST_COUNTED
    present = np.flatnonzero(np.bincount(labels.ravel())) if few else np.unique(labels)
    return [int(number) for number in present]


def _rows(path: Path) -> list[tuple[int, tuple[str, int, str]]]:
    """The line number and content of each row."""
    try:
        refuse_odd_entry(path, MOST_ROWS)
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = tuple(cell.strip() for cell in next(reader, []))
            if not set(HEADER) <= set(header):
                raise ImageError(f"{path}: expected the columns {', '.join(HEADER)}; got {', '.join(header) or 'none'}")
            rows = [(reader.line_num, dict(zip(header, row, strict=False))) for row in reader if any(row)]
    except FileNotFoundError:
        raise ImageError(f"{path.parent} holds no annotations: there is no {LIST}; expected {LAYOUT}") from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read ({error.strerror or error}); expected {LAYOUT}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ImageError(f"{path} is not a CSV file in UTF-8 ({error}); expected {LAYOUT}") from error
    if not rows:
        raise ImageError(f"{path} lists no concept; expected a row of {', '.join(HEADER)} for each")
    return [(line, _concept(path, line, row)) for line, row in rows]


def _concept(path: Path, line: int, row: Mapping[str, str]) -> tuple[str, int, str]:
    kind, number, word = (row.get(name, "").strip() for name in HEADER)
    if not kind or not word:
        raise ImageError(
            f"{path}, line {line}: {'kind' if not kind else 'word'} is empty; fill it, or leave the row out"
        )
    if kind in {".", ".."} or "/" in kind or "\\" in kind:
        raise ImageError(f"{path}, line {line}: {kind!r} cannot be the name of a folder in {MAPS}/; name it otherwise")
    if not (number.isascii() and number.isdigit() and len(number) < 11 and 0 < int(number) <= LARGEST):
        raise ImageError(f"{path}, line {line}: expected a whole number of 1 or more (0 is nothing); got {number!r}")
    return kind, int(number), word
