"""Class names in tables: which column holds them, and which their indices, is told by what stands in the columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lumiscope.errors import UsageError
from lumiscope.models._class_values import (
    INDEX_WORDS,
    NAME_WORDS,
    OTHER_WORDS,
    WNID,
    ClassNames,
    in_order,
    is_index,
    name_of,
    runs,
)

DELIMITERS = "\t,;|"
TABLES = (".csv", ".tsv")
INDEX_ENDS = {"id", "idx", "index"}
NAME_ENDS = {"name", "label", "class", "category", "title"}
PICTURES = {"file", "filename", "path", "filepath", "image", "img", "picture"}
NO_NAMES = PICTURES | {"super", "parent", "folder", "url"}
MENDED = "Give it a header such as index,name, or leave only the names, one a line"


@dataclass(frozen=True)
class _Column:
    """A column: `word` of the header as it is written ("" without one), and `cells`."""

    word: str
    cells: tuple[str, ...]

    @property
    def kind(self) -> str:
        """ "index", "wnid", "number" (blank ones, too) or "text"."""
        if all(_index_of_cell(cell) is not None for cell in self.cells):
            return "index"
        if all(re.fullmatch(WNID, cell) for cell in self.cells):
            return "wnid"
        return "number" if all(_is_number(cell) for cell in self.cells) else "text"

    @property
    def is_running(self) -> bool:
        """Whether it holds indices from 0 or 1 without gaps."""
        return self.kind == "index" and runs(map(_index_of_cell, self.cells))

    @property
    def says_index(self) -> bool:
        """Whether its header says that it holds indices."""
        word = self.word.lower()
        return word in INDEX_WORDS or (word not in OTHER_WORDS and bool(INDEX_ENDS & set(_parts(self.word)[-1:])))

    @property
    def says_name(self) -> bool:
        """Whether its header says that it holds names."""
        parts = _parts(self.word)
        return self.word.lower() in NAME_WORDS or (bool(NAME_ENDS & set(parts[-1:])) and not NO_NAMES & set(parts))

    @property
    def says_picture(self) -> bool:
        """Whether it holds texts of which its header says that they are names of pictures."""
        return self.kind == "text" and bool(PICTURES & set(_parts(self.word)))


def is_header(line: str) -> bool:
    """Whether all of a line's words, two or more, are words of headers."""
    words = [_Column(word.strip("\"'"), ()) for word in line.split()]
    return len(words) > 1 and all(
        word.says_index or word.says_name or word.word.lower() in OTHER_WORDS for word in words
    )


def table(lines: Sequence[str], path: Path) -> ClassNames | None:
    """The names of a table; None for what is none, or of which the columns are not sure.

    A table has a header, of which every word is known or that differs from what stands below it; or it has a column
    of indices, or of ImageNet's n…. The one column of text holds the names; among several the header says which.
    Errors: `UsageError` for a table of which the header does not say it.
    """
    if path.suffix.lower() in TABLES and lines[0].strip("\"'").lower() in NAME_WORDS and len(lines) > 1:
        return _named([_Column(lines[0], tuple(cell for (cell,) in _rows(lines[1:], "\0", path)))], 0, path)
    for delimiter in DELIMITERS:
        if delimiter in lines[0]:
            spaced = not any(map(_tight(delimiter).search, lines))
            if (names := _of(_rows(lines, delimiter, path), delimiter, path, spaced=spaced)) is not None:
                return names
    return _of_aligned(lines, path)


def _of_aligned(lines: Sequence[str], path: Path) -> ClassNames | None:
    """The names of a table as pandas prints it: cells are parted by spaces, that of the row numbers has no header."""
    rows = [re.split(r"\s{2,}", line) for line in lines]
    width = len(rows[-1])
    if width < 2 or len(rows[0]) not in (width - 1, width) or any(len(row) != width for row in rows[1:]):
        return None
    columns = [
        _Column("", cells) for cells in zip(*[[*[""] * (width - len(rows[0])), *rows[0]], *rows[1:]], strict=True)
    ]
    headed = _headed(columns, known=False, spaced=True)
    return None if headed is None else _named(headed, _column_of_names(headed, path), path)


def check_no_table(lines: Sequence[str], path: Path) -> None:
    """Errors: `UsageError` where lines are rows of several cells, none of which says what it is.

    Commas with a space behind them may be part of names, and so may ones that not all lines have.
    """
    for delimiter in DELIMITERS:
        tight = path.suffix.lower() in TABLES or delimiter != "," or all(map(_tight(delimiter).search, lines))
        widths = {len(row) for row in _rows(lines, delimiter, path)} if tight and len(lines) > 1 else {1}
        if len(widths) == 1 and widths != {1}:
            raise UsageError(
                f"{path} looks like a table of {widths.pop()} columns, of which none is known to hold the names or "
                f"their indices; its first row is {lines[0]!r:.80}. {MENDED}."
            )


def _index_of_cell(cell: str) -> int | None:
    """The index in a cell, also as pandas writes it ("3.0"); None for anything else."""
    text = cell.removesuffix(".0")
    return int(text) if is_index(text) else None


def _of(rows: list[list[str]], delimiter: str, path: Path, *, spaced: bool) -> ClassNames | None:
    """The names in rows of cells; see `table`. `spaced`: all delimiters have a space behind them, as in a text."""
    words = [cell.lower() for cell in rows[0]]
    known = all(word in INDEX_WORDS | NAME_WORDS | OTHER_WORDS for word in words) and bool(NAME_WORDS & set(words))
    if known and len(rows) > 1:
        if short := next((number for number, row in enumerate(rows, 1) if len(row) < len(words)), 0):
            raise UsageError(f"{path} looks like a table with a header ({', '.join(words)}); row {short} is shorter")
        width = len(words)
    else:
        width = min(map(len, rows))
    for columns in _aligned(rows, width, delimiter) if width > 1 else ():
        headed = _headed(columns, known, spaced=spaced) if len(rows) > 1 else None
        if headed is not None:
            return _named(headed, _column_of_names(headed, path), path)
        texts = [number for number, column in enumerate(columns) if column.kind == "text"]
        if not any(column.is_running or column.kind == "wnid" for column in columns):
            continue
        if len(texts) == 1:
            return _named(columns, texts[0], path)
        if len(texts) > 1 and not spaced:
            raise _unsure(columns, texts, path)
    return None


def _headed(columns: Sequence[_Column], known: bool, *, spaced: bool) -> list[_Column] | None:
    """The columns without their first row where that is a header; None where it is none."""
    below = [_Column(column.cells[0].strip(), column.cells[1:]) for column in columns]
    odd = [column for column in below if column.kind != "text" and _Column("", (column.word,)).kind != column.kind]
    told = any(column.is_running or column.kind == "wnid" for column in odd)
    said = any(column.word.lower() in NAME_WORDS for column in below)
    texts = all(_Column("", (column.word,)).kind == "text" or not column.word for column in below)
    return below if known or (texts and (told or (said and (odd or not spaced)))) else None


def _column_of_names(columns: Sequence[_Column], path: Path) -> int:
    texts = [number for number, column in enumerate(columns) if column.kind == "text"]
    exact = [number for number in texts if columns[number].word.lower() in NAME_WORDS]
    said = exact or [number for number in texts if columns[number].says_name]
    if said:
        return said[0]
    if len(texts) == 1 and not set(_parts(columns[texts[0]].word)) & NO_NAMES:
        return texts[0]
    numbers = [number for number, column in enumerate(columns) if column.says_name and column.kind != "wnid"]
    if texts or not numbers:
        raise _unsure(columns, texts, path)
    return numbers[-1]


def _unsure(columns: Sequence[_Column], texts: Sequence[int], path: Path) -> UsageError:
    shown = ", ".join(repr(columns[number].word or columns[number].cells[0])[:40] for number in texts[:4])
    return UsageError(
        f"{path} looks like a table, of which it is not sure which column holds the names of classes: "
        f"{f'there are {shown}' if texts else 'there is none of text'}. {MENDED}."
    )


def _indices(columns: Sequence[_Column], named: int, path: Path) -> _Column | None:
    """The column of indices beside that of the names; None where there is none."""
    others = [column for number, column in enumerate(columns) if number != named]
    said = [
        column
        for column in others
        if column.word and (column.says_index or (column.kind == "index" and column.says_name))
    ]
    running = [column for column in others if column.is_running]
    said_running = [column for column in said if column.is_running]
    best = said_running or (said if columns[named].word else []) or running
    if not said_running and not said and len({column.cells for column in running}) > 1:
        raise UsageError(
            f"{path} looks like a table with several columns of indices "
            f"({', '.join(repr(column.word or column.cells[0]) for column in running[:4])}). {MENDED}."
        )
    return best[0] if best else None


def _named(columns: Sequence[_Column], named: int, path: Path) -> ClassNames:
    """The names of a column, in the order of that of the indices."""
    names = [name_of(cell, str(path)) for cell in columns[named].cells]
    indices = _indices(columns, named, path)
    if indices is None:
        others = [column for number, column in enumerate(columns) if number != named]
        twice = len(set(names)) < len(names) and not any(column.kind == "wnid" for column in others)
        if others and (twice or any(column.says_picture for column in others)):
            raise UsageError(f"{path} looks like a table of pictures, not of classes: it has no indices. {MENDED}.")
        return ClassNames(tuple(names), f"class names read from {path} as a table, in the order of its rows")
    pairs: list[tuple[int, str]] = []
    for cell, name in zip(indices.cells, names, strict=True):
        if (number := _index_of_cell(cell)) is None:
            raise UsageError(
                f"{path} looks like a table with indices under {indices.word.lower()!r}; {cell!r} is no index"
            )
        pairs.append((number, name))
    return in_order(pairs, str(path), "a table")


def _aligned(rows: Sequence[list[str]], width: int, delimiter: str) -> Iterator[list[_Column]]:
    """The columns of rows of `width` cells or more.

    Where some rows have more, one column has delimiters in its text: each for which all others hold no text is tried.
    """
    for number in reversed(range(width)):
        aligned = []
        for row in rows:
            end = len(row) - (width - 1 - number)
            joined = f"{delimiter} ".join(cell.strip() for cell in row[number:end])
            aligned.append([*row[:number], joined if end - number > 1 else row[number], *row[end:]])
        columns = [_Column("", cells) for cells in zip(*aligned, strict=True)]
        uniform = all(len(row) == width for row in rows)
        others = [column for position, column in enumerate(columns) if position != number]
        if uniform or all(_Column("", column.cells[1:] or column.cells).kind != "text" for column in others):
            yield columns
            return


def _rows(lines: Sequence[str], delimiter: str, path: Path) -> list[list[str]]:
    """The cells of every line, without quotes. A delimiter with a space behind it is text where others have none."""
    tight = all(map(_tight(delimiter).search, lines))
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=not tight))
    except csv.Error as error:
        raise UsageError(f"expected class names in {path}; a line of it cannot be read as a row ({error})") from error
    if not tight:
        return [[cell.strip() for cell in row] for row in rows]
    merged: list[list[str]] = []
    for row in rows:
        cells = row[:1]
        for cell in row[1:]:
            if cell.startswith(" ") and delimiter != "\t":
                cells[-1] += delimiter + cell
            else:
                cells.append(cell)
        merged.append([cell.strip() for cell in cells])
    return merged


def _tight(delimiter: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(delimiter)}(?! )")


def _is_number(cell: str) -> bool:
    try:
        float(cell or "0")
    except ValueError:
        return False
    return True


def _parts(word: str) -> list[str]:
    """The words in a header such as `ClassId`, `class_id` or `Class ID`, in small letters."""
    return [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", word)]
