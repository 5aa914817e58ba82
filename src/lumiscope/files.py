"""Files as everything here writes and reads them: written whole or not at all, read within bounds, errors in words.

A write that fails is nobody's picture or model: it is a `StoreError`, which ends the work. Whoever reads a file says in
an error of his own what was expected there, so what reads here raises `OSError`, also where the file is too large or
none at all (a folder, a pipe), and `ValueError` where its text cannot be read.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lumiscope.errors import PathError, StoreError
from lumiscope.file_lock import lock_file
from lumiscope.short_name import cut_in_middle

MOST_SETTINGS = 2**21  # bytes of a file of settings: a study, a model, options
MOST_NAMES = 2**24  # bytes of a list of names: classes, concepts
MOST_ROWS = 2**28  # bytes of a list with a row for each image
MOST_FACTS = 2**26  # bytes of what lumiscope itself wrote about a run or a scope

LONGEST_PATH = 200  # letters of a path in a message
MOST_LEVELS = 100  # of values inside values

_TOO_DEEP = "it is nested too deep"
# A key of so many parts is refused before `tomllib` sees it, whose time grows with the square of them.
_DEEP_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){%d}""" % MOST_LEVELS  # noqa: UP031 - braces
)
_PART = ".part"  # the ending of a file that is being written
_cleared: set[Path] = set()

_SPACE = "Free some space there, or choose another folder."
_RIGHTS = "Check who may use it, or choose another folder."
_SHAPE = "Choose another path, or move away what is there."
_PATH = "Check the path."
_NAME = "Choose a shorter name."
_DRIVE = "Check the disk or the network drive."
REMEDIES = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: _SPACE,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: _RIGHTS,
    errno.ENOTDIR: _SHAPE,
    errno.EISDIR: _SHAPE,
    errno.EEXIST: _SHAPE,
    errno.ENOTEMPTY: _SHAPE,
    errno.ELOOP: _SHAPE,
    errno.ENXIO: _SHAPE,  # what the system says of a pipe that nobody reads
    errno.ENOENT: _PATH,
    errno.ENAMETOOLONG: _NAME,
    errno.EMFILE: "Raise the limit of open files (ulimit -n).",
    errno.ENFILE: "Close other programs: the machine has too many files open.",
    errno.EIO: _DRIVE,
    errno.ESTALE: _DRIVE,
}


def failure_in_words(error: OSError, path: Path | str | None = None) -> str:
    """What the file system refused, where, and what would help. `path`: where the error does not say it."""
    where = path or error.filename
    said = error.strerror or str(error) or type(error).__name__
    remedy = REMEDIES.get(error.errno or 0, "")
    return (f"{_shown(where)}: " if where else "") + said + (f". {remedy}" if remedy else ".")


def reason_of(error: Exception) -> str:
    """Why a file could not be read, on one line of at most 200 characters, without a full stop."""
    said = failure_in_words(error) if isinstance(error, OSError) else " ".join(str(error).split())[:200]
    return said.removesuffix(".")


def is_machines(error: BaseException) -> bool:
    """Whether the machine failed, and not what was worked on: a file of lumiscope's, a full disk, too many open files.

    What an error was raised from counts as well.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, StoreError) or (isinstance(cause, OSError) and cause.errno in _OF_THE_MACHINE):
            return True
        cause = cause.__cause__
    return False


_OF_THE_PATH = {number for number, remedy in REMEDIES.items() if remedy in (_RIGHTS, _SHAPE, _PATH, _NAME)}
_OF_THE_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.ENFILE}


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system refuses while `path` is written into a `StoreError`."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever reads the progress has gone; no file's fault
    except OSError as error:
        kind = PathError if error.errno in _OF_THE_PATH else StoreError
        raise kind(f"cannot write to {failure_in_words(error, path)}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, whatever happens meanwhile.

    What a process that was killed left half-written in the folder is cleared away. Errors: `StoreError`.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent not in _cleared:
            _cleared.add(path.parent)
            clear_parts(path.parent)
        while not _renamed(_part_with(content, path.parent), path):
            pass  # another process took the file for a dead one's, and cleared it away


def _part_with(content: bytes, folder: Path) -> Path:
    """A file in `folder` that holds `content`, locked while it is written."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=_PART)
    try:
        with os.fdopen(handle, "wb") as file:
            with contextlib.suppress(OSError):  # without locks nobody clears it, either
                lock_file(handle)
            file.write(content)
        os.chmod(name, 0o644)
    except FileNotFoundError:
        pass  # cleared away: renaming will tell
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _renamed(part: Path, path: Path) -> bool:
    """Rename a file that was written. False where it is gone."""
    try:
        os.replace(part, path)
    except BaseException as error:
        if isinstance(error, FileNotFoundError) and not part.exists() and path.parent.is_dir():
            return False
        part.unlink(missing_ok=True)
        raise
    return True


def make_folder(path: Path) -> None:
    """Make a folder, and those that it is in, where they are missing. Errors: `StoreError`."""
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)


def is_part(path: Path) -> bool:
    """Whether a file is what `write_atomically` leaves where it is killed."""
    return path.name.startswith(".") and path.name.endswith(_PART)


def clear_parts(folder: Path) -> None:
    """Remove what was left half-written in a folder by processes that are gone; one that still writes holds a lock."""
    with contextlib.suppress(OSError):  # whoever may not clear up may still work
        for path in folder.glob(f".*{_PART}"):
            _clear(path)


def _clear(path: Path) -> None:
    with contextlib.suppress(OSError), _opened(path) as handle:
        if lock_file(handle):
            path.unlink(missing_ok=True)


def read_bytes(path: Path, most: int | None = None) -> bytes:
    """The content of a regular file; `most`: bytes that it may have. Errors: `OSError`.

    A pipe is not waited for, and what is too large is refused before memory is taken.
    """
    with _opened(path) as handle, os.fdopen(handle, "rb", closefd=False) as file:
        if most is None:
            return file.read()
        refuse_size(path, os.fstat(handle).st_size, most)
        content = file.read(most + 1)  # it may grow, and some files do not say their size
        refuse_size(path, len(content), most)
        return content


def read_text(path: Path, most: int, encoding: str = "utf-8") -> str:
    """The text of a regular file of at most `most` bytes. Errors: `OSError`, `UnicodeDecodeError`."""
    return read_bytes(path, most).decode(encoding)


def refuse_size(path: Path, size: int, most: int) -> None:
    """Errors: `OSError` where `size`, in bytes, is more than `most`."""
    if size > most:
        raise OSError(0, f"it has more than {most:,} bytes, the most that is read of such a file", str(path))


def refuse_odd_entry(path: Path, most: int | None = None) -> None:
    """Refuse what is no file but a folder, a pipe or a device, and a file of more than `most` bytes. It may be missing.

    Errors: `OSError`.
    """
    if path.exists():
        facts = path.stat()
        _refuse_mode(path, facts.st_mode)
        if most is not None:
            refuse_size(path, facts.st_size, most)


def parse_json(text: str | bytes) -> Any:
    """The content of a JSON text. Errors: `ValueError`, also where it is nested deeper than any real one."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def parse_toml(text: str) -> dict[str, Any]:
    """The content of a TOML text. Errors: `ValueError`, also where it is nested deeper than any real one."""
    if _DEEP_KEY.search(text):
        raise ValueError(_TOO_DEEP)
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _refuse_depth(content)  # dotted keys nest as deep as they like, without recursion
    return content


def _refuse_depth(content: object) -> None:
    level = [content]
    for _ in range(MOST_LEVELS):
        tables = [value for value in level if isinstance(value, dict)]
        lists = [value for value in level if isinstance(value, list)]
        level = [inner for value in (*(table.values() for table in tables), *lists) for inner in value]
    if level:
        raise ValueError(_TOO_DEEP)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A handle of a regular file. Errors: `OSError`, also for a folder, a pipe or a device."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        _refuse_mode(path, os.fstat(handle).st_mode)
        yield handle
    finally:
        os.close(handle)


def _refuse_mode(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder, where a file is expected", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.ENXIO, "it is a pipe or a device, where a file is expected", str(path))


def _shown(path: object) -> str:
    """A path for people: one that is too long is cut in the middle."""
    text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else str(path)
    return cut_in_middle(text, LONGEST_PATH)
