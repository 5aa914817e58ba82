"""Which files a source names: a folder, a glob, a CSV, one image, or several files."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lumiscope.errors import UsageError, nearest
from lumiscope.files import failure_in_words
from lumiscope.images._candidate import Candidate
from lumiscope.images._raster import is_image
from lumiscope.images.csv_listing import list_csv
from lumiscope.images.file_names import existing

# Files that file managers leave in every folder.
CLUTTER = {"thumbs.db", "desktop.ini"}

# Endings of texts and tables that people keep beside pictures, and names of those without one.
BESIDE = {
    *(".csv", ".tsv", ".txt", ".md", ".rst", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg"),
    *(".log", ".html", ".htm", ".py", ".ipynb", ".sh", ".parquet", ".xlsx", ".pkl", ".npy", ".npz", ".md5", ".sha256"),
    *("readme", "license", "licence", "copying", "makefile"),
}


@dataclass(frozen=True)
class Listing:
    """The files that a source names, in order. `notes`: what else was there."""

    candidates: list[Candidate]
    notes: tuple[str, ...] = ()


def list_candidates(source: str | Path | Sequence[str | Path]) -> Listing:
    """Return the files that `source` names, in its order: rows as they come, files by their path as plain text.

    Raises UsageError if `source` does not exist or names no file.
    """
    if not isinstance(source, (str, Path)):
        if not source:
            raise UsageError("the list of images is empty: give at least one")
        return Listing([Candidate(name=str(path), path=_expanded(path)) for path in source])
    # Without text there is a path all the same: the current folder, which nobody asked for.
    if not str(source).strip():
        raise UsageError("no image source given: name a folder, a glob, a CSV or an image")
    try:
        return _list_path(_expanded(source))
    except OSError as error:
        raise UsageError(f"cannot read {failure_in_words(error, source)}") from error


def _list_path(path: Path) -> Listing:
    if path.is_dir():
        return _list_folder(path)
    if not path.exists() and glob.has_magic(str(path)):
        return Listing(_list_glob(path))
    if not path.exists():
        raise UsageError(f"there is no {path}: {_advice(path)}")
    if path.suffix.lower() == ".csv":
        return Listing(list_csv(path))
    return Listing([Candidate(name=path.name, path=path)])


def _expanded(path: str | Path) -> Path:
    # Path.expanduser raises where there is no such user; a file may well begin with ~.
    return existing(Path(os.path.expanduser(path)))


def _list_folder(folder: Path) -> Listing:
    files = [path for path in folder.iterdir() if _is_listed(path)]
    pictures = [path for path in files if is_image(path)]
    deeper = [path for path in _files_below(folder) if path.parent != folder]
    if not files and not deeper:
        raise UsageError(f"the folder {folder} holds no files: give a folder with images")
    if not pictures:
        return Listing(_sorted_candidates(files + deeper, folder))
    below = [path for path in deeper if is_image(path)]
    if below and len(_not_made_of(pictures, below)) >= len(pictures):
        note = f"{_count(pictures)} in {folder} itself, beside {len(below)} in its folders: all were taken"
        return Listing(_sorted_candidates(files + deeper, folder), (note,))
    note = f"{_count(below)} in folders below {folder} left out: to take all, name {folder}/**/*.*"
    return Listing(_sorted_candidates(files, folder), (note,) if below else ())


def _not_made_of(pictures: list[Path], below: list[Path]) -> list[Path]:
    """Those of `below` that are no masks or maps of `pictures` by their names: a.png, a.lime.png, a_mask.png."""
    stems = {path.stem for path in pictures}

    def is_made(path: Path) -> bool:
        ends = [place for place, letter in enumerate(path.stem) if letter in "._-"]
        return not stems.isdisjoint([path.stem, *(path.stem[:end] for end in ends)])

    return [path for path in below if not is_made(path)]


def _count(pictures: list[Path]) -> str:
    return f"{len(pictures)} picture{'s' if len(pictures) != 1 else ''}"


def _files_below(folder: Path) -> list[Path]:
    files: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [path for path in (Path(parent, name) for name in names) if _is_listed(path)]
    return files


def _is_listed(path: Path) -> bool:
    if path.name.startswith(".") or path.name.lower() in CLUTTER:
        return False
    # A link to nowhere was meant to be a file: it is listed, so that it gets reported.
    return path.is_file() or (path.is_symlink() and not path.exists())


def _list_glob(pattern: Path) -> list[Candidate]:
    files = [path for path in map(Path, glob.glob(str(pattern), recursive=True)) if _is_listed(path)]
    if not files:
        raise UsageError(
            f"no file matches {pattern}: check the pattern (** also searches sub-folders), and put it in quotes"
        )
    fixed = next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))
    return _sorted_candidates(files, fixed)


def _sorted_candidates(files: list[Path], folder: Path) -> list[Candidate]:
    # One key for every system: the separator takes part in the order.
    by_name = {path.relative_to(folder).as_posix(): path for path in files}
    return [Candidate(name, by_name[name], is_beside=_is_beside(by_name[name])) for name in sorted(by_name)]


def _is_beside(path: Path) -> bool:
    """Whether a file is a text or a table by its name, and no picture that is called so."""
    return (path.suffix or path.name).lower() in BESIDE and not is_image(path)


def _advice(missing: Path) -> str:
    parent = missing.absolute().parent
    if not parent.is_dir():
        return f"its folder {parent} does not exist either"
    near = nearest(missing.name, (entry.name for entry in parent.iterdir()))
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"{parent} has no entry with a similar name"
