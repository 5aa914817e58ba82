"""Class names from the files that people keep them in: lines, tables, lists, maps, dumps of Python."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from lumiscope.errors import UsageError
from lumiscope.files import MOST_NAMES, failure_in_words, read_text
from lumiscope.models._class_lines import check_names, names_in_lines, plain_lines, without_comments
from lumiscope.models._class_literals import BEGIN, LiteralError, assigned_values, value_at, whole_value
from lumiscope.models._class_tables import table
from lumiscope.models._class_values import FORMS, INSIDE, ClassNames, of_value

Classes: TypeAlias = "str | Path | Sequence[str] | Mapping[Any, Any]"
SECTION = re.compile(r"""(?P<indent>\s*)["']?(?P<name>[\w-]+)["']?:\s*|\[(?P<table>[\w.]+)\]\s*""")
SAYS_NAMES = re.compile(r"class|label|name|categor|idx|index", re.IGNORECASE)


def read_classes(classes: Classes) -> tuple[str, ...]:
    """The names alone; see `class_names`."""
    return class_names(classes).names


def class_names(classes: Classes) -> ClassNames:
    """Read class names in the order of the scores from a file, or take those of a list or map.

    A file: one name a line; a list or map in JSON, or as Python, YAML, TOML or NumPy write it, also given a name among
    other things; lines of index and name, ImageNet's `n…` and name, or name and index; a table. Indices run from 0 or 1
    without gaps. Trailing blank lines are left out. Errors: `UsageError` for anything else, which says what it looks
    like: what is syntax is never taken for a part of a name.
    """
    if isinstance(classes, Mapping):
        return of_value(dict(classes), "the map of classes")
    if not isinstance(classes, str | Path):
        return _of_sequence(classes)
    path = Path(classes)
    text, comments = without_comments(_text(path).removeprefix("---\n"))
    if not text.strip():
        raise UsageError(f"expected a text file with one class name a line; {path} is empty")
    value = _value(text, path)
    if value is not None:
        return of_value(value[0], str(path))
    names = _of_lines(text, path)
    check_names(names.names, path)
    said = f"{comments} lines of {path} that begin with # were left out" if comments else ""
    return ClassNames(names.names, "; ".join(filter(None, (said, names.note))))


def _of_sequence(classes: Sequence[str]) -> ClassNames:
    """The names in a list, tuple or array of Python. Errors: `UsageError` for what is no list of texts."""
    if not hasattr(classes, "__iter__") or isinstance(classes, bytes | set | frozenset):
        raise UsageError(
            f"expected a file of class names, a list of them, or a map from index to name; got {classes!r:.80}"
        )
    names = list(classes)
    if names and all(isinstance(name, str) and name.strip() for name in names):
        return ClassNames(tuple(str(name) for name in names))
    return of_value(names, "the list of classes")


def _text(path: Path) -> str:
    try:
        return read_text(path, MOST_NAMES, "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        said = failure_in_words(error) if isinstance(error, OSError) else f"it is not UTF-8 ({error}): save it as UTF-8"
        raise UsageError(f"expected a text file with one class name a line at {path}: {said}") from error


def _value(text: str, path: Path) -> tuple[Any] | None:
    """The list or map that a text is, or that is given a name in it; None where it is neither.

    Errors: `UsageError` for one that cannot be read, and where it is not clear which of several holds the names.
    """
    try:
        if BEGIN.match(text.strip()) and (value := whole_value(text.strip())) is not None:
            return value
        return _assigned(text, path)
    except LiteralError as error:
        kind = "JSON, but cannot be read as JSON" if text.lstrip()[0] in "[{" else "a list or map, but cannot be read"
        raise UsageError(f"{path} looks like {kind}: {error}. Expected {FORMS}.") from error


def _assigned(text: str, path: Path) -> tuple[Any] | None:
    """The value of the one name in a text that says that it holds names, or of the only one there is."""
    places = list(assigned_values(text))
    said = [(name, place) for name, place in places if SAYS_NAMES.search(name)]
    if len(places) == 1 and not said:
        value, rest = value_at(text, places[0][1])
        alone = not text[: text.find(places[0][0])].strip() and not rest.strip(" \n;,")
        return (value,) if alone else None
    order = {name: number for number, name in enumerate(INSIDE)}
    exact = sorted((order[name.lower()], place) for name, place in said if name.lower() in order)
    if not exact and len(said) > 1:
        names = ", ".join(name for name, _ in said[:4])
        raise UsageError(f"{path} has several lists or maps that may hold class names ({names}): leave only one")
    return (value_at(text, exact[0][1] if exact else said[0][1])[0],) if said else None


def _of_lines(text: str, path: Path) -> ClassNames:
    """The names in a text that is no list and no map."""
    section = _section(text)
    lines = text.rstrip().splitlines() if section is None else section
    filled = _without_frame([line.strip() for line in lines if line.strip()])
    names = None if section is not None else table(filled, path)
    names = names or names_in_lines(filled, path)
    if names is None and section is not None:
        raise UsageError(f"{path} looks like YAML or TOML, but has no names in {filled[:1]!r:.80}. Expected {FORMS}.")
    return names or plain_lines(lines, path)


def _section(text: str) -> list[str] | None:
    """The lines below `names:` of YAML or `[names]` of TOML, without comments; None where there is no such line."""
    lines = text.splitlines()
    order = {name: number for number, name in enumerate(INSIDE)}
    opened = [(number, match) for number, line in enumerate(lines) if (match := SECTION.fullmatch(line))]
    known = [(order[name], number, match) for number, match in opened if (name := _name_of(match)) in order]
    if not known:
        return None
    _, number, match = min(known, key=lambda place: place[:2])
    below = lines[number + 1 :]
    first = next((line for line in below if line.strip()), "")
    ends = re.compile(
        r"\s*\[" if match["table"] or _is_outside(first, match["indent"]) else rf"\s{{0,{len(match['indent'])}}}[^\s-]"
    )
    body = [re.sub(r"\s+#\s.*", "", line) for line in itertools.takewhile(lambda line: not ends.match(line), below)]
    return body if any(line.strip() for line in body) else None


def _is_outside(line: str, indent: str) -> bool:
    """Whether a line is no deeper than one with `indent`, and no item of a list."""
    return len(line) - len(line.lstrip()) <= len(indent) and not line.lstrip().startswith("- ")


def _name_of(match: re.Match[str]) -> str:
    return str(match["name"] or match["table"].rpartition(".")[2]).lower()


def _without_frame(lines: list[str]) -> list[str]:
    """The rows of a table of Markdown without its lines; other lines as they are."""
    if not all(len(line) > 1 and line.startswith("|") and line.endswith("|") for line in lines):
        return lines
    return [line.strip("|").strip() for line in lines if not re.fullmatch(r"[\s|:+-]+", line)] or lines
