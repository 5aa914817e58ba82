"""Image lists in CSV: `image`, and if wanted `class_index`, `class_name`, `mask` and any other columns."""

from __future__ import annotations

import csv
from pathlib import Path

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.files import MOST_ROWS, refuse_odd_entry
from lumiscope.images._candidate import Candidate

KNOWN_COLUMNS = ("image", "class_index", "class_name", "mask")

# An image may be labelled for several tasks: "fish|meadow". Class names have commas, as in ImageNet.
CLASS_SEPARATOR = "|"

# Nine digits are more classes than any model has, and fit every integer type.
MOST_DIGITS = 9


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


def _candidate(source: Path, header: list[str], row: list[str], line: int) -> Candidate:
    cells = dict(zip(header, [cell.strip() for cell in row] + [""] * len(header), strict=False))
    image, mask, class_index = cells["image"], cells.get("mask", ""), cells.get("class_index", "")
    problem = ""
    if not image:
        problem = "the column image is empty"
    elif len(row) > len(header):
        problem = f"line {line} has {len(row)} cells, the header has {len(header)}: put text with commas in quotes"
    elif class_index and not _is_index(class_index):
        problem = f"class_index {class_index!r} in line {line} is not a whole number of 0 or more"
    return Candidate(
        name=image or f"line {line} of {source.name}",
        path=source.parent / image,
        label=int(class_index) if _is_index(class_index) else None,
        class_names=_class_names(cells.get("class_name", "")),
        columns={name: cell for name, cell in cells.items() if name not in KNOWN_COLUMNS},
        mask_path=source.parent / mask if mask else None,
        problem=problem,
    )


def _class_names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(CLASS_SEPARATOR) if (name := part.strip()))


def _is_index(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
