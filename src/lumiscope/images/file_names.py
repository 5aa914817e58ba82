"""Names of files as people and systems write them: one letter may have two spellings, and some names are no text."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from lumiscope.printable import printable
from lumiscope.short_name import cut_in_middle


def composed(name: str) -> str:
    """`name` with its letters composed (Unicode's form NFC): macOS takes é apart into e and an accent."""
    return unicodedata.normalize("NFC", name)


def existing(path: Path) -> Path:
    """`path`; where there is no such file, the one whose name differs from it in Unicode's form alone, if there is."""
    if str(path).isascii() or "\0" in str(path) or os.path.lexists(path) or path == path.parent:
        return path
    folder = existing(path.parent)
    return next((twin for twin in _entries(folder) if composed(twin.name) == composed(path.name)), folder / path.name)


def is_text(path: Path) -> bool:
    """Whether the absolute path is text, as tables and reports must have it: some systems allow names of any bytes."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(name: str) -> str:
    """`name` as text that can be printed on one line: bytes that are none as \\xff, line breaks as \\n."""
    text = os.fsencode(name).decode(errors="backslashreplace")
    return printable(composed(text))


def noted(name: str) -> str:
    """The name or path of a file in a note: as it is `shown`, each part of it that is long cut in its middle."""
    return "/".join(cut_in_middle(part) for part in shown(name).split("/"))


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError:
        return
