"""From what a user names to a set of images that can all be decoded."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from lumiscope.errors import ImageError, UnknownNameError
from lumiscope.images._candidate import Candidate
from lumiscope.images._checking import Checked, checked, first_few, joined_notes
from lumiscope.images._listing import list_candidates
from lumiscope.images.csv_listing import lists_images
from lumiscope.images.file_names import composed, noted
from lumiscope.images.image_file import ImageFile
from lumiscope.images.image_item import ImageItem
from lumiscope.images.image_set import ImageSet
from lumiscope.images.world_image import names_world, open_world
from lumiscope.progress import Track, silent

OnError = Literal["skip", "stop"]


def open_images(
    source: str | Path | Sequence[str | Path], *, on_error: OnError = "skip", track: Track = silent
) -> ImageSet:
    """Open the images that `source` names; each is decoded once here, so that later work meets only good ones.

    `source`: a folder (its files, sorted, and those of its sub-folders unless it holds more images itself; texts and
    tables that lie beside pictures are passed over, which `.notes` say), a glob (sorted, `**` for sub-folders), a CSV
    (its rows in order: `image`, and if wanted `class_index`, `class_name`, `mask`, paths relative to it; other columns
    are kept), one image, several image files, or `world:COUNT@SEED`: pictures of the built-in world, which are drawn
    when they are looked at.
    `on_error`: "skip" leaves out what cannot be used and reports it in `.skipped`; "stop" raises at the first.
    `track`: draws the progress.

    Raises UsageError if `source` does not exist or names nothing, UnknownNameError for an unknown `on_error`,
    ImageError if no image can be used or, with "stop", at the first problem.
    """
    if on_error not in get_args(OnError):
        raise UnknownNameError("value of on_error", on_error, get_args(OnError))
    if isinstance(source, str) and names_world(source):
        return open_world(source)
    listing = list_candidates(source)
    beside = [entry for entry in listing.candidates if entry.is_beside]
    named = [entry for entry in listing.candidates if not entry.is_beside] or listing.candidates
    candidates, duplicates = _without_duplicates(named)
    files: list[Checked] = []
    for file in track(checked(candidates), "opening images", len(candidates)):
        if file.problem is not None and on_error == "stop":
            raise ImageError(str(file.problem))
        files.append(file)
    good = [file.usable for file in files if file.usable is not None]
    skipped = tuple(file.problem for file in files if file.problem is not None)
    if not good:
        raise ImageError(f"no image could be used: {first_few([str(problem) for problem in skipped], '; ')}")
    items, renamed = _with_ids(good)
    about_files = (*_beside_notes(beside), *_duplicate_notes(duplicates), *_id_notes(renamed), *joined_notes(files))
    return ImageSet(items, _described(source), skipped, (*listing.notes, *about_files))


def _without_duplicates(candidates: list[Candidate]) -> tuple[list[Candidate], list[str]]:
    kept: list[Candidate] = []
    duplicates: list[str] = []
    seen: set[str] = set()
    for candidate in candidates:
        file = _real_path(candidate.path)
        if candidate.problem:
            kept.append(candidate)
        elif file in seen:
            duplicates.append(noted(candidate.name))
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


def _with_ids(candidates: list[Candidate]) -> tuple[tuple[ImageItem, ...], list[str]]:
    stems = {composed(candidate.path.stem) for candidate in candidates}
    taken: set[str] = set()
    items: list[ImageItem] = []
    renamed: list[str] = []
    for candidate in candidates:
        stem = composed(candidate.path.stem)
        item_id = _unused_id(stem, taken, stems)
        taken.add(item_id)
        if item_id != stem:
            renamed.append(f"{noted(candidate.name)} is {noted(item_id)}")
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
        name=composed(candidate.name),
        path=candidate.path,
        label=candidate.label,
        class_names=candidate.class_names,
        columns=candidate.columns,
        mask_path=candidate.mask_path,
        has_void=candidate.has_void,
    )


def _beside_notes(beside: list[Candidate]) -> list[str]:
    if not beside:
        return []
    notes = [f"no pictures, so passed over: {first_few([noted(entry.name) for entry in beside], ', ')}"]
    if lists := [noted(entry.name) for entry in beside if lists_images(entry.path)]:
        notes.append(f"{first_few(lists, ', ')} lists images: give it as the source to use its labels")
    return notes


def _duplicate_notes(duplicates: list[str]) -> list[str]:
    if not duplicates:
        return []
    return [f"listed more than once, the first entry is kept: {first_few(duplicates, ', ')}"]


def _id_notes(renamed: list[str]) -> list[str]:
    if not renamed:
        return []
    return [f"files of the same name, told apart by a number: {first_few(renamed, ', ')}"]


def _described(source: str | Path | Sequence[str | Path]) -> str:
    if isinstance(source, (str, Path)):
        return str(source)
    return first_few([str(path) for path in source], ", ")
