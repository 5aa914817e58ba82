"""Options that say what they may be: declared once, checked for every method, told by `lumiscope methods NAME`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from lumiscope.errors import UnknownNameError, UsageError

Default = TypeVar("Default")


def option(
    default: Default,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    choices: Sequence[str] = (),
) -> Default:
    """A field of an options dataclass with bounds, or with all that it may be.

    A bounded number is finite. Bounds hold for each number of a tuple, and not for None or text.
    """
    bounds = {"at_least": at_least, "above": above, "at_most": at_most, "below": below}
    declared: dict[str, Any] = {name: bound for name, bound in bounds.items() if bound is not None}
    if choices:
        declared["choices"] = tuple(choices)
    option: Default = dataclasses.field(default=default, metadata=declared)
    return option


def check_declared(options: object, method: str) -> None:
    """Check the options of a method against what their dataclass declares.

    Errors: `UsageError` for a number out of bounds, `UnknownNameError` for none of the choices.
    """
    for field in dataclasses.fields(options):  # type: ignore[arg-type]  # whatever a method's options are
        value, declared = getattr(options, field.name), field.metadata
        if "choices" in declared and value not in declared["choices"]:
            raise UnknownNameError(f"{field.name} of {method}", value, declared["choices"])
        if bounds_in_words(declared) and not all(_within(number, declared) for number in _numbers(value)):
            raise UsageError(f"{method}: expected {field.name} {bounds_in_words(declared)}; got {value}")


def bounds_in_words(declared: Mapping[str, Any]) -> str:
    """The bounds in a field's metadata: "of at least 2", "above 0", "between 0 and 1", "from 0 to 255"; "": none."""
    if "above" in declared and "below" in declared:
        return f"between {declared['above']:g} and {declared['below']:g}"
    if "at_least" in declared and "at_most" in declared:
        return f"from {declared['at_least']} to {declared['at_most']}"
    words = {"at_least": "of at least", "above": "above", "at_most": "of at most", "below": "below"}
    return " and ".join(f"{text} {declared[name]}" for name, text in words.items() if name in declared)


def _numbers(value: object) -> list[float]:
    """The numbers in an option: one, those of a tuple, none."""
    parts = value if isinstance(value, tuple) else (value,)
    return [part for part in parts if isinstance(part, (int, float)) and not isinstance(part, bool)]


def _within(value: float, declared: Mapping[str, Any]) -> bool:
    return (
        math.isfinite(value)
        and value >= declared.get("at_least", -math.inf)
        and value > declared.get("above", -math.inf)
        and value <= declared.get("at_most", math.inf)
        and value < declared.get("below", math.inf)
    )
