"""From what a user names to a set of images that can all be decoded."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from lumiscope.errors import ImageError, UnknownNameError
from lumiscope.images._candidate import Candidate
from lumiscope.images._listing import list_candidates
from lumiscope.images.csv_listing import lists_images
from lumiscope.images.decode import decode, decode_mask
from lumiscope.images.image_file import ImageFile
from lumiscope.images.image_item import ImageItem
from lumiscope.images.image_set import ImageSet
from lumiscope.images.skipped import Skipped
from lumiscope.images.world_image import names_world, open_world
from lumiscope.progress import Track, silent

OnError = Literal["skip", "stop"]

# Pillow decodes without holding the interpreter; each thread holds one decoded image.
THREADS = 2
AT_ONCE = 1024  # files whose check may wait its turn: what waits takes memory

# How many names a note or an error spells out.
NAMED = 5


def open_images(
    source: str | Path | Sequence[str | Path], *, on_error: OnError = "skip", track: Track = silent
) -> ImageSet:
    """Open the images that `source` names; each is decoded once here, so that later work meets only good ones.

    `source`: a folder (its files, sorted; those of its sub-folders if it holds no image itself; texts and tables that
    lie beside pictures are passed over, which `.notes` say), a glob (sorted, `**`
    for sub-folders), a CSV (its rows in order: `image`, and if wanted `class_index`, `class_name`, `mask`, paths
    relative to it; other columns are kept), one image, several image files, or `world:COUNT@SEED`: pictures of the
    built-in world, which are drawn when they are looked at.
    `on_error`: "skip" leaves out what cannot be used and reports it in `.skipped`; "stop" raises at the first.
    `track`: draws the progress.

    Raises UsageError if `source` does not exist or names nothing, UnknownNameError for an unknown `on_error`,
    ImageError if no image can be used or, with "stop", at the first problem.
    """
    if on_error not in get_args(OnError):
        raise UnknownNameError("value of on_error", on_error, get_args(OnError))
    if isinstance(source, str) and names_world(source):
        return open_world(source)
    listed = list_candidates(source)
    candidates, duplicates = _without_duplicates([entry for entry in listed if not entry.is_beside] or listed)
    beside = [entry for entry in listed if entry.is_beside]
    good: list[Candidate] = []
    skipped: list[Skipped] = []
    for usable, problem in track(_checked(candidates), "opening images", len(candidates)):
        if problem is not None and on_error == "stop":
            raise ImageError(str(problem))
        if problem is not None:
            skipped.append(problem)
        if usable is not None:
            good.append(usable)
    if not good:
        raise ImageError(f"no image could be used: {_first_few([str(problem) for problem in skipped], '; ')}")
    items, renamed = _with_ids(good)
    return ImageSet(
        items,
        _described(source),
        tuple(skipped),
        (*_beside_notes(beside), *_duplicate_notes(duplicates), *_id_notes(renamed)),
    )


def _without_duplicates(candidates: list[Candidate]) -> tuple[list[Candidate], list[str]]:
    kept: list[Candidate] = []
    duplicates: list[str] = []
    seen: set[str] = set()
    for candidate in candidates:
        file = _real_path(candidate.path)
        if candidate.problem:
            kept.append(candidate)
        elif file in seen:
            duplicates.append(candidate.name)
        else:
            seen.add(file)
            kept.append(candidate)
    return kept, duplicates


def _real_path(path: Path) -> str:
    try:
        return os.path.realpath(path)
    except ValueError:
        # A name with a NUL character; decoding it will say so.
        return str(path)


def _checked(candidates: list[Candidate]) -> Iterator[tuple[Candidate | None, Skipped | None]]:
    pool = ThreadPoolExecutor(THREADS)
    try:
        for start in range(0, len(candidates), AT_ONCE):
            yield from pool.map(_check, candidates[start : start + AT_ONCE])
    finally:
        # After a stop, the images that are still waiting need not be decoded.
        pool.shutdown(cancel_futures=True)


def _check(candidate: Candidate) -> tuple[Candidate | None, Skipped | None]:
    """Return what of `candidate` can be used, and what was wrong with it; only the mask may be lost."""
    if candidate.problem:
        return None, Skipped(candidate.name, candidate.problem)
    try:
        height, width, _ = decode(candidate.path).shape
    except ImageError as error:
        hint = "; it lists images: give it as the source to use its labels" if lists_images(candidate.path) else ""
        return None, Skipped(candidate.name, f"{error}{hint}")
    if candidate.mask_path is None:
        return candidate, None
    try:
        mask_height, mask_width = decode_mask(candidate.mask_path).shape
        if (mask_height, mask_width) != (height, width):
            raise ImageError(f"it has {mask_width}×{mask_height} pixels, the image has {width}×{height}")
    except ImageError as error:
        return replace(candidate, mask_path=None), Skipped(candidate.name, str(error), "mask")
    return candidate, None


def _with_ids(candidates: list[Candidate]) -> tuple[tuple[ImageItem, ...], list[str]]:
    stems = {candidate.path.stem for candidate in candidates}
    taken: set[str] = set()
    items: list[ImageItem] = []
    renamed: list[str] = []
    for candidate in candidates:
        item_id = _unused_id(candidate.path.stem, taken, stems)
        taken.add(item_id)
        if item_id != candidate.path.stem:
            renamed.append(f"{candidate.name} is {item_id}")
        items.append(_item(candidate, item_id))
    return tuple(items), renamed


def _unused_id(stem: str, taken: set[str], stems: set[str]) -> str:
    if stem not in taken:
        return stem
    # The stem of another file stays free for that file.
    numbered = (f"{stem}-{number}" for number in itertools.count(2))
    return next(item_id for item_id in numbered if item_id not in taken and item_id not in stems)


def _item(candidate: Candidate, item_id: str) -> ImageFile:
    return ImageFile(
        id=item_id,
        name=candidate.name,
        path=candidate.path,
        label=candidate.label,
        class_names=candidate.class_names,
        columns=candidate.columns,
        mask_path=candidate.mask_path,
    )


def _beside_notes(beside: list[Candidate]) -> list[str]:
    if not beside:
        return []
    notes = [f"no pictures, so passed over: {_first_few([entry.name for entry in beside], ', ')}"]
    if lists := [entry.name for entry in beside if lists_images(entry.path)]:
        notes.append(f"{_first_few(lists, ', ')} lists images: give it as the source to use its labels")
    return notes


def _duplicate_notes(duplicates: list[str]) -> list[str]:
    if not duplicates:
        return []
    return [f"listed more than once, the first entry is kept: {_first_few(duplicates, ', ')}"]


def _id_notes(renamed: list[str]) -> list[str]:
    if not renamed:
        return []
    return [f"files of the same name, told apart by a number: {_first_few(renamed, ', ')}"]


def _described(source: str | Path | Sequence[str | Path]) -> str:
    if isinstance(source, (str, Path)):
        return str(source)
    return _first_few([str(path) for path in source], ", ")


def _first_few(texts: list[str], separator: str) -> str:
    rest = len(texts) - NAMED
    return separator.join(texts[:NAMED]) + (f"{separator}and {rest} more" if rest > 0 else "")
