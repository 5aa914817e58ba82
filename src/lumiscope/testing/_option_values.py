"""Values that the options of a method must refuse, derived from what its options dataclass says."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError

CANDIDATES: tuple[object, ...] = ("no such value", 0.5, 3, -1, True, None, {"no": "such"}, [1, 2, 3, 4, 5])


def invalid_values(options_type: type) -> Iterator[tuple[str, object]]:
    """(option, value) pairs: values of another type, no choice of those that there are, numbers out of bounds.

    Bounds and choices are those in the metadata of a field: `choices`, `at_least`, `above`, `at_most`, `below`.
    """
    hints = typing.get_type_hints(options_type)
    for field in dataclasses.fields(options_type):
        for value in CANDIDATES:
            if not is_of(value, hints[field.name]):
                yield field.name, value
        for value in _out_of_bounds(field.metadata):
            yield field.name, value


def is_of(value: object, hint: Any) -> bool:
    """Whether pydantic takes `value` for a `hint`."""
    try:
        TypeAdapter(hint).validate_python(value)
    except ValidationError:
        return False
    return True


def _out_of_bounds(metadata: typing.Mapping[Any, Any]) -> Iterator[object]:
    if "choices" in metadata:
        yield "no such choice"
    if "at_least" in metadata:
        yield metadata["at_least"] - 1
    if "at_most" in metadata:
        yield metadata["at_most"] + 1
    for name in ("above", "below"):
        if name in metadata:
            yield metadata[name]
    if any(name in metadata for name in ("above", "below")):
        yield math.nan
