"""Class names from the files that people keep them in: lines, tables, lists, maps, dumps of Python."""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from lumiscope.errors import UsageError
from lumiscope.files import MOST_NAMES, failure_in_words, read_text
from lumiscope.models._class_values import (
    FORMS,
    INDEX_WORDS,
    INSIDE,
    NAME_WORDS,
    OTHER_WORDS,
    WNID,
    ClassNames,
    in_order,
    is_index,
    name_of,
    of_value,
)

FLOW = re.compile(rf"(?:{'|'.join(INSIDE)})\s*[:=]\s*([\[{{].*[\]}}])", re.IGNORECASE)
"""A list or map in one line of YAML, TOML or Python, as YOLO's files have it."""
Classes: TypeAlias = "str | Path | Sequence[str] | Mapping[Any, Any]"


def read_classes(classes: Classes) -> tuple[str, ...]:
    """The names alone; see `class_names`."""
    return class_names(classes).names


def class_names(classes: Classes) -> ClassNames:
    """Read class names in the order of the scores from a file, or take those of a list or map.

    A file: one name a line; a list or map in JSON, or as Python prints it; lines of index and name, ImageNet's `n…` and
    name, or name and index; a table with a header. Indices run from 0 or 1 without gaps. Trailing blank lines are left
    out. Errors: `UsageError` for anything else, which says what it looks like.
    """
    if isinstance(classes, Mapping):
        return of_value(dict(classes), "the map of classes")
    if not isinstance(classes, str | Path):
        return ClassNames(tuple(classes))
    path = Path(classes)
    text = _text(path)
    if text.lstrip()[:1] in ("[", "{"):
        return of_value(_structure(text, path), str(path))
    lines = text.rstrip().splitlines()
    if not lines:
        raise UsageError(f"expected a text file with one class name a line; {path} is empty")
    filled = [line.strip() for line in lines if line.strip()]
    flow = next((match[1] for line in filled if (match := FLOW.fullmatch(line))), None)
    if flow is not None:
        return of_value(_structure(flow, path), str(path))
    for read in (_table, _indexed_lines, _wnid_lines, _lines_before_an_index, _quoted_lines, _yaml_lines):
        if (names := read(filled, path)) is not None:
            return names
    return _plain_lines(lines, path)


def _text(path: Path) -> str:
    try:
        return read_text(path, MOST_NAMES, "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        said = failure_in_words(error) if isinstance(error, OSError) else f"it is not UTF-8 ({error}): save it as UTF-8"
        raise UsageError(f"expected a text file with one class name a line at {path}: {said}") from error


def _structure(text: str, path: Path) -> Any:
    """The list or map that a text is, in JSON or as Python prints it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        try:
            return ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError, SystemError):  # the last of too deep a nest
            raise UsageError(
                f"{path} looks like JSON, but cannot be read as JSON: {error}. Expected {FORMS}."
            ) from error


def _matched(lines: Sequence[str], pattern: str) -> list[tuple[str, str]] | None:
    """The two groups of `pattern` in every line; None where one does not match."""
    matches = [re.fullmatch(pattern, line) for line in lines]
    return [(match[1], match[2]) for match in matches if match] if all(matches) else None


def _unquoted(text: str) -> str:
    text = text.strip().rstrip(",;").strip()
    quoted = re.fullmatch(r"""(["'])(.*)\1""", text)
    return quoted[2].strip() if quoted else text


def _cleaned(names: Iterable[str]) -> list[str]:
    """Names without quotes, and without ImageNet's `n…` where all have one."""
    plain = [_unquoted(name) for name in names]
    behind = _matched(plain, rf"({WNID})[\s,;:|]+(.+)")
    return [_unquoted(name) for _, name in behind] if behind else plain


def _runs(numbers: Iterable[str]) -> bool:
    """Whether numbers are indices that run from 0 or 1 without gaps, in any order."""
    indices = sorted(map(int, numbers))
    return indices[0] in (0, 1) and indices == list(range(indices[0], indices[0] + len(indices)))


def _indexed_lines(lines: Sequence[str], path: Path) -> ClassNames | None:
    """`0,name`, `0: name`, `0 - name`, `(0) name`, `0<tab>name`, also below a line `names:` of YAML."""
    body = lines[1:] if re.fullmatch(r"\w+:", lines[0]) else lines
    body = [line[1:-1] for line in body] if all(re.fullmatch(r"\(.*\)", line) for line in body) else body
    pairs = body and _matched(body, r"""["'(\[]?(\d{1,7})["'\]]?(?:\s*[,;:|)=\t]\s*|\s+-\s+|\.?\s+)(\S.*)""")
    if not pairs or not (_runs(number for number, _ in pairs) or (len(pairs) > 1 and _separated(body))):
        return None
    names = _cleaned(name for _, name in pairs)
    return in_order([(int(number), name) for (number, _), name in zip(pairs, names, strict=True)], str(path), "lines")


def _separated(lines: Sequence[str]) -> bool:
    """Whether numbers are indices even where they have gaps: more than a space is behind them, or they begin so."""
    numbers = [int(match[0]) for line in lines if (match := re.search(r"\d+", line))]
    rising = numbers == sorted(set(numbers)) and numbers[0] in (0, 1)
    return rising or all(re.match(r"""["']?\d+["']?\s*[,;:|\t]""", line) for line in lines)


def _wnid_lines(lines: Sequence[str], path: Path) -> ClassNames | None:
    """`n01440764 tench`, and with an index between them."""
    pairs = _matched(lines, rf"({WNID})[\s,;:|]+(.+)")
    if pairs is None:
        return None
    rest = [_unquoted(name) for _, name in pairs]
    numbered = _matched(rest, r"(\d{1,7})[\s,;:|]+(.+)")
    if numbered and _runs(number for number, _ in numbered):
        return in_order([(int(number), name) for number, name in numbered], str(path), "lines")
    return ClassNames(tuple(rest), f"class names read from {path} as what stands behind ImageNet's n…")


def _lines_before_an_index(lines: Sequence[str], path: Path) -> ClassNames | None:
    """`tench 0`, and `/a/airfield 0` of Places365."""
    pairs = _matched(lines, r"(.*[^\d\s,;:|=])[\s,;:|=]+(\d{1,7})")
    if pairs is None or len(pairs) < 2 or not _runs(number for _, number in pairs):
        return None
    names = _cleaned(name for name, _ in pairs)
    behind = _matched(names, r"(/\w/)(.+)")
    names = [name for _, name in behind] if behind else names
    return in_order([(int(number), name) for (_, number), name in zip(pairs, names, strict=True)], str(path), "lines")


def _quoted_lines(lines: Sequence[str], path: Path) -> ClassNames | None:
    """`"tench, Tinca tinca",`."""
    if any(_unquoted(line) in ("", line.rstrip(",;").strip()) for line in lines):
        return None
    return ClassNames(tuple(_cleaned(lines)), f"class names read from {path} as quoted lines")


def _yaml_lines(lines: Sequence[str], path: Path) -> ClassNames | None:
    """`- tench`, also below a line `names:`."""
    body = lines[1:] if re.fullmatch(r"\w+:", lines[0]) else lines
    pairs = body and _matched(body, r"(-) +(.+)")
    return (
        ClassNames(tuple(_cleaned(n for _, n in pairs)), f"class names read from {path} as a list") if pairs else None
    )


def _table(lines: Sequence[str], path: Path) -> ClassNames | None:
    """A header and rows: the column of names, in the order of the column of indices where there is one."""
    for delimiter in "\t,;|":
        header = [word.strip().strip("\"'").lower() for word in lines[0].split(delimiter)]
        known = all(word in INDEX_WORDS | NAME_WORDS | OTHER_WORDS for word in header)
        alone = len(header) == 1 and path.suffix.lower() not in (".csv", ".tsv")
        if known and not alone and len(lines) > 1 and (named := _first(header, NAME_WORDS.__contains__)) is not None:
            break
    else:
        return None
    rows = list(csv.reader(lines[1:], delimiter=delimiter, skipinitialspace=True))
    if len(header) - 1 == named:  # a name with commas that nobody quoted
        rows = [[*row[:named], f"{delimiter} ".join(part.strip() for part in row[named:])] for row in rows]
    if short := next((number for number, row in enumerate(rows, 2) if len(row) < len(header)), 0):
        raise UsageError(f"{path} looks like a table with a header ({', '.join(header)}); row {short} is shorter")
    indexed = _first(header, INDEX_WORDS.__contains__)
    numbers = [[_index_of_cell(row[column]) for row in rows] for column in range(len(header))]
    in_words = [column for column, word in enumerate(header) if word in NAME_WORDS and None in numbers[column]]
    if None not in numbers[named] and in_words:  # `label,name` with numbers for labels
        named, indexed = in_words[0], named if indexed is None else indexed
    names = [name_of(row[named], str(path)) for row in rows]
    if indexed is None:
        return ClassNames(tuple(names), f"class names read from {path} as a table, in the order of its rows")
    pairs: list[tuple[int, str]] = []
    for row, number, name in zip(rows, numbers[indexed], names, strict=True):
        if number is None:
            raise UsageError(
                f"{path} looks like a table with indices under {header[indexed]!r}; {row[indexed]!r} is no index"
            )
        pairs.append((number, name))
    return in_order(pairs, str(path), "a table")


def _index_of_cell(cell: str) -> int | None:
    """The index in a cell, also as pandas writes it ("3.0"); None for anything else."""
    text = cell.removesuffix(".0")
    return int(text) if is_index(text) else None


def _first(words: Sequence[str], fits: Callable[[str], bool]) -> int | None:
    return next((number for number, word in enumerate(words) if fits(word)), None)


def _plain_lines(lines: Sequence[str], path: Path) -> ClassNames:
    """One name a line."""
    if len(lines) == 1 and len(names := [_unquoted(name) for name in re.split(r"[,;\t]", lines[0])]) > 1 and all(names):
        return ClassNames(tuple(names), f"class names read from {path} as a single line with separators")
    comments = [line for line in lines if re.match(r"#(\s|$)", line)]
    if 0 < len(comments) < len(lines):
        named = _plain_lines([line for line in lines if line not in comments], path)
        note = f"{len(comments)} lines of {path} that begin with # were left out"
        return ClassNames(named.names, "; ".join(filter(None, (note, named.note))))
    blank = [number for number, line in enumerate(lines, 1) if not line.strip()]
    if blank:
        raise UsageError(
            f"{path} has a blank line at {blank[0]}: every line names one class, in the order of the logits"
        )
    first = lines[0].strip()
    if first.lower().startswith(("<!doctype", "<html")):
        raise UsageError(f"{path} is a web page, no list of names: its download went wrong. Expected {FORMS}.")
    if re.fullmatch(r"item\s*\{.*", first):
        raise UsageError(f"{path} looks like a label map of TensorFlow. Expected {FORMS}.")
    note = ""
    if len(lines) > 1 and first.lower() in NAME_WORDS | {"classes", "names", "labels"}:
        note = f"the first line of {path}, {first!r}, looks like a header, and was taken for a class"
    elif len(lines) > 1 and all("\t" in line for line in lines):
        note = f"{path} looks like a table without a header; its whole lines were taken for names"
    return ClassNames(tuple(line.strip() for line in lines), note)
