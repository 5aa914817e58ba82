"""Class names in what JSON and Python write: lists, maps, records, and configurations that hold them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lumiscope.errors import UsageError

INSIDE: tuple[str, ...] = (
    "classes",
    "class_names",
    "id2label",
    "idx_to_class",
    "label_names",
    "labels",
    "names",
    "categories",
)
INSIDE += ("idx2label", "id2name", "index_to_name", "idx_to_label", "id_to_name", "class_list")
INSIDE += ("label2id", "class_to_idx")  # under which a configuration keeps its names
INDEX_WORDS = {f"{what}{end}" for what in ("class", "label", "category") for end in ("_id", "_index", "_idx")}
INDEX_WORDS |= {f"{what}{end}" for what in ("class", "label", "category") for end in ("id", " id", "index", " index")}
INDEX_WORDS |= {"index", "idx", "id", "number", "no", "#", "i", "", "target"}
NAME_WORDS = {f"{what}{end}" for what in ("class", "label", "category") for end in ("", "_name", "name", " name")}
NAME_WORDS |= {"name", "description", "display_name", "title"}
OTHER_WORDS = {"wnid", "synset", "synset_id", "supercategory", "short"}
WNID = r"n\d{8}"
FORMS = "one name a line, a JSON list, a JSON map from index to name, or a table (CSV, TSV) of index and name"


@dataclass(frozen=True)
class ClassNames:
    """`names`: in the order of the scores. `note`: what they were taken for, where that was not plain."""

    names: tuple[str, ...]
    note: str = ""


def of_value(value: Any, source: str) -> ClassNames:
    """A list of names, or a map from index to name or from name to index; also inside a configuration."""
    if isinstance(value, dict):
        inside = next((value[key] for key in INSIDE if isinstance(value.get(key), list | dict)), None)
        if inside is not None and not all(is_index(key) for key in value):
            return of_value(inside, source)
        if value and all(is_index(key) for key in value):
            return in_order([(int(key), name_of(part, source)) for key, part in value.items()], source, "a map")
        if value and all(isinstance(part, int) for part in value.values()):
            return in_order([(part, str(key)) for key, part in value.items()], source, "a map from name to index")
    elif value and isinstance(value, list | tuple):
        numbers = [_index_in(part) for part in value]
        names = [name_of(part, source) for part in value]
        if all(number is not None for number in numbers):
            return in_order(list(zip(map(int, numbers), names, strict=True)), source, "a list of records")  # type: ignore[arg-type]
        return ClassNames(tuple(names), f"class names read from {source} as a list")
    raise UsageError(f"{source} looks like JSON, but is no list of names and no map with their indices: {value!r:.100}")


def is_index(key: object) -> bool:
    return isinstance(key, int) or (isinstance(key, str) and key.strip().isascii() and key.strip().isdigit())


def _index_in(part: object) -> object:
    """The index in a record such as {"id": 3, "name": "cat"} or a pair such as (3, "cat"); None where it has none."""
    if isinstance(part, list | tuple):
        numbers = [value for value in part if isinstance(value, int)]
        return numbers[0] if len(numbers) == 1 else None
    if not isinstance(part, dict):
        return None
    numbers = [value for key, value in part.items() if str(key).lower() in INDEX_WORDS and isinstance(value, int)]
    return numbers[0] if numbers else None


def name_of(part: Any, source: str) -> str:
    """The name in a text, a pair such as ["n01440764", "tench"] or a record with a name."""
    if isinstance(part, dict):
        part = next((value for key, value in part.items() if str(key).lower() in NAME_WORDS), None)
    if isinstance(part, list | tuple) and part and all(isinstance(text, str | int) for text in part):
        written = [text for text in part if isinstance(text, str)]
        part = ", ".join([text for text in written if not re.fullmatch(WNID, text)] or written)
    if not isinstance(part, str) or not part.strip():
        raise UsageError(f"{source} has {part!r:.80} in the place of a class name. Expected {FORMS}.")
    return part.strip()


def runs(numbers: Iterable[Any]) -> bool:
    """Whether numbers are indices that run from 0 or 1 without gaps, in any order."""
    indices = sorted(map(int, numbers))
    return indices[0] in (0, 1) and indices == list(range(indices[0], indices[0] + len(indices)))


def in_order(pairs: Sequence[tuple[int, str]], source: str, form: str) -> ClassNames:
    """Names by their indices. Errors: `UsageError` where these do not run from 0 or 1 without gaps."""
    names = dict(pairs)
    first = min(names)
    if len(names) < len(pairs) or first not in (0, 1) or max(names) != first + len(names) - 1:
        missing = sorted(set(range(max(names))) - names.keys())[:3] if max(names) < 10**6 else []
        raise UsageError(
            f"{source} looks like {form} with indices, which must run from 0 or 1 without gaps, one a class; it has "
            f"{len(pairs)} names with {len(names)} indices from {first} to {max(names)}"
            + (f", without {', '.join(map(str, missing))}" if missing else "")
        )
    counted = "; its indices begin at 1" if first == 1 else ""
    ordered = tuple(names[index] for index in sorted(names))
    return ClassNames(ordered, f"class names read from {source} as {form} with indices{counted}")
