"""Image lists in CSV: `image`, and if wanted `class_index`, `class_name`, `mask` and any other columns."""

from __future__ import annotations

import csv
import itertools
import re
from pathlib import Path

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.files import MOST_ROWS, refuse_odd_entry
from lumiscope.images._candidate import Candidate
from lumiscope.images.file_names import existing

KNOWN_COLUMNS = ("image", "class_index", "class_name", "mask")

# An image may be labelled for several tasks: "fish|meadow". Class names have commas, as in ImageNet.
CLASS_SEPARATOR = "|"

# Nine digits are more classes than any model has, and fit every integer type.
MOST_DIGITS = 9

# What pandas and numpy write for a missing value, in lower case; and what data sets have for an unknown class.
MISSING = {"", "nan", "<na>", "nat"}
NO_CLASS = {"-1", "-1.0", "None", "none", "null", "NULL", "NA", "N/A"}
NO_INDEX = "no label, as class_index is no whole number of 0 or more"


def list_csv(source: Path) -> list[Candidate]:
    """Return the images that the CSV file `source` lists, in the order of its rows; paths are relative to it.

    UTF-8, separated by commas. Cells are stripped of white space; rows without any text are passed over.

    Raises UsageError if it is no CSV text, has no column `image` or no row; OSError if it cannot be read.
    """
    try:
        refuse_odd_entry(source, MOST_ROWS)
        with source.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [cell.strip() for cell in next(reader, [])]
            _check_header(source, header)
            header = _named_apart(header)
            candidates = [
                _candidate(source, header, row, reader.line_num) for row in reader if any(map(str.strip, row))
            ]
    except UnicodeDecodeError as error:
        raise UsageError(f"{source} is not UTF-8 text ({error.reason}): save it as CSV UTF-8") from error
    except csv.Error as error:
        raise UsageError(f"{source} is not a CSV file ({error})") from error
    if not candidates:
        raise UsageError(f"{source} has a header but no rows: list one image per row")
    return candidates


def lists_images(path: Path) -> bool:
    """Tell whether `path` is a CSV file with a column `image`."""
    if path.suffix.lower() != ".csv":
        return False
    try:
        refuse_odd_entry(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return "image" in [cell.strip() for cell in next(csv.reader(file), [])]
    except (OSError, UnicodeDecodeError, csv.Error):
        return False


def _check_header(source: Path, header: list[str]) -> None:
    if "image" not in header:
        columns = ", ".join(header) or "none"
        raise UnknownNameError(
            "column",
            "image",
            header,
            f"{source} must have a column image with a path in each row, separated by commas; columns found: {columns}",
        )
    twice = [name for name in KNOWN_COLUMNS if header.count(name) > 1]
    if twice:
        raise UsageError(f"{source} has more than one column {twice[0]}: keep one")


def _named_apart(header: list[str]) -> list[str]:
    """The names of columns, of which the second `x` is `x 2`; one without a name is `column`."""
    names: list[str] = []
    for name in (cell or "column" for cell in header):
        numbered = (f"{name} {number}" for number in itertools.count(2))
        free = name if name not in names else next(other for other in numbered if other not in names + header)
        names.append(free)
    return names


def _candidate(source: Path, header: list[str], row: list[str], line: int) -> Candidate:
    cells = dict(zip(header, [cell.strip() for cell in row] + [""] * len(header), strict=False))
    image, class_index, class_name, mask = (cells.get(name, "") for name in KNOWN_COLUMNS)
    label = _index(class_index)
    problem = ""
    if not image:
        problem = "the column image is empty"
    elif len(row) > len(header):
        problem = f"line {line} has {len(row)} cells, the header has {len(header)}: put text with commas in quotes"
    return Candidate(
        name=image or f"line {line} of {source.name}",
        path=existing(source.parent / image),
        label=label,
        class_names=() if _is_missing(class_name) else _class_names(class_name),
        columns={name: cell for name, cell in cells.items() if name not in KNOWN_COLUMNS},
        mask_path=None if _is_missing(mask) else existing(source.parent / mask),
        problem=problem,
        notes=() if label is not None or _is_missing(class_index) or class_index in NO_CLASS else (NO_INDEX,),
    )


def _class_names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(CLASS_SEPARATOR) if (name := part.strip()))


def _index(text: str) -> int | None:
    """The class that a cell names: 3 of "3", and of "3.0", as pandas writes it beside a missing one; else None."""
    whole = re.fullmatch(r"\+?([0-9]+)(\.0*)?", text, re.ASCII)
    return int(whole[1]) if whole and len(whole[1].lstrip("0")) <= MOST_DIGITS else None


def _is_missing(text: str) -> bool:
    """Whether a cell is empty, or has what pandas and numpy write for that."""
    return text.lower() in MISSING
