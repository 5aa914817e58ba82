"""Look at a listed file once: what of it can be used, and what must be said of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from lumiscope.counts import first_few as few_of
from lumiscope.errors import ImageError
from lumiscope.images._candidate import Candidate
from lumiscope.images.csv_listing import lists_images
from lumiscope.images.decode import read_picture
from lumiscope.images.file_names import is_text, noted, shown
from lumiscope.images.mask_file import read_mask_file
from lumiscope.images.skipped import Skipped

# Pillow decodes without holding the interpreter; each thread holds one decoded image.
THREADS = 2
AT_ONCE = 1024  # files whose check may wait its turn: what waits takes memory

# How many names a note or an error spells out.
NAMED = 5


@dataclass(frozen=True)
class Checked:
    """A file that was looked at. `usable`: what of it can be used. `problem`: what cannot. `notes`: what else to know.

    Only a mask may be lost while the rest can be used. Equal notes of several files are said once, with their names.
    """

    name: str
    usable: Candidate | None
    problem: Skipped | None = None
    notes: tuple[str, ...] = ()


def checked(candidates: list[Candidate]) -> Iterator[Checked]:
    """Decode every file and its mask, in order."""
    pool = ThreadPoolExecutor(THREADS)
    try:
        for start in range(0, len(candidates), AT_ONCE):
            yield from pool.map(_check, candidates[start : start + AT_ONCE])
    finally:
        # After a stop, the images that are still waiting need not be decoded.
        pool.shutdown(cancel_futures=True)


def joined_notes(files: Iterable[Checked]) -> list[str]:
    """Each note once, with the first names of the files that it is about."""
    names: dict[str, list[str]] = {}
    for file in files:
        for note in file.notes:
            names.setdefault(note, []).append(noted(file.name))
    return [f"{note}: {first_few(of_note, ', ')}" for note, of_note in names.items()]


def first_few(texts: list[str], separator: str) -> str:
    """The first texts, and how many more there are."""
    return few_of(texts, NAMED, separator=separator, more=separator + "and {} more")


def _check(candidate: Candidate) -> Checked:
    name = shown(candidate.name)
    if candidate.problem:
        return Checked(name, None, Skipped(name, candidate.problem))
    try:
        _refuse_name(candidate.path)
        picture = read_picture(candidate.path)
    except ImageError as error:
        hint = "; it lists images: give it as the source to use its labels" if lists_images(candidate.path) else ""
        return Checked(name, None, Skipped(name, f"{error}{hint}"))
    height, width, _ = picture.pixels.shape
    notes = (*candidate.notes, *picture.notes)
    if candidate.mask_path is None:
        return Checked(name, candidate, notes=notes)
    try:
        _refuse_name(candidate.mask_path)
        mask = read_mask_file(candidate.mask_path)
        mask_height, mask_width = mask.object.shape
        if (mask_height, mask_width) != (height, width):
            raise ImageError(f"it has {mask_width}×{mask_height} pixels, the image has {width}×{height}")
    except ImageError as error:
        without_mask = replace(candidate, mask_path=None)
        return Checked(name, without_mask, Skipped(name, str(error), "mask"), notes)
    usable = replace(candidate, has_void=bool(mask.void.any()))
    return Checked(name, usable, notes=(*notes, *mask.notes))


def _refuse_name(path: Path) -> None:
    if not is_text(path):
        raise ImageError(f"its path {shown(str(path.absolute()))} is not UTF-8 text, as tables need it: rename it")
