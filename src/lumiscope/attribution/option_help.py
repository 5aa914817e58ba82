"""What the options of a method mean and what they may be, as its options dataclass says it."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lumiscope.attribution.declared_options import bounds_in_words
from lumiscope.attribution.regions.segmenters import SEGMENTERS

PLAIN = {bool: "True | False", int: "whole number", float: "number", str: "text", type(None): "None"}


@dataclass(frozen=True)
class OptionHelp:
    """One option. `values`: what it may be, in words or as a list of names. `meaning`: "" where nothing says it."""

    name: str
    values: str
    default: Any
    meaning: str


def option_help(options_type: type) -> list[OptionHelp]:
    """The options of a method in order, with the meanings in the docstrings of their dataclass and those it extends.

    Where a type says too little, the field's metadata tell the values: "choices" are all, "values" are to be shown;
    bounds follow the type.
    """
    documented: dict[str, str] = {}
    fields = dataclasses.fields(options_type)
    names = [field.name for field in fields]
    for kind in reversed(options_type.__mro__):
        documented |= meanings(kind.__doc__ or "", names)
    hints = typing.get_type_hints(options_type)
    return [
        OptionHelp(
            field.name,
            _values(field.metadata, hints[field.name]),
            field.default if field.default_factory is dataclasses.MISSING else field.default_factory(),
            documented.get(field.name, ""),
        )
        for field in fields
    ]


def _values(declared: Mapping[str, Any], hint: Any) -> str:
    """The values of an option in words, as its field's metadata and else its type say."""
    named = declared.get("values") or declared.get("choices", ())
    if named:
        return " | ".join(named)
    return allowed(hint, bounds_in_words(declared))


def segmenter_help() -> list[OptionHelp]:
    """Every segmenter: its own options with their defaults, and what it does."""
    return [
        OptionHelp(name, ", ".join(segmenter.defaults), segmenter.defaults, _one_line(segmenter.function.__doc__ or ""))
        for name, segmenter in SEGMENTERS.items()
    ]


def meanings(docstring: str, names: list[str]) -> dict[str, str]:
    """What a docstring says of each name: the sentences after "`name`:", or after "`one` and `other`:" for both.

    A description begins where a sentence or a part of one begins, and ends where the next one begins.
    """
    known = "|".join(map(re.escape, names))
    head = rf"(?:^|(?<=[.;] ))(`(?:{known})`(?:(?:, | and )`(?:{known})`)*): "
    _, *parts = re.split(head, _one_line(docstring))
    described: dict[str, str] = {}
    for subjects, text in zip(parts[::2], parts[1::2], strict=True):
        described |= dict.fromkeys(re.findall(r"`(\w+)`", subjects), text.strip().rstrip(".;"))
    return described


def allowed(hint: Any, bounds: str = "") -> str:
    """The values of a type, as a user writes them: "whole number | auto", "[number, number]", {"name": value}.

    `bounds`: of numbers, as "of at least 2"; not repeated in lists.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return " | ".join(map(str, arguments))
    if origin in (typing.Union, types.UnionType):
        return " | ".join(allowed(argument, bounds) for argument in arguments)
    if origin is tuple:
        return f"[{', '.join(map(allowed, arguments))}]"
    if origin is not None and issubclass(origin, Mapping):
        return '{"name": value}'
    return f"{PLAIN[hint]} {bounds}" if bounds and hint in (int, float) else PLAIN[hint]


def _one_line(docstring: str) -> str:
    return " ".join(inspect.cleandoc(docstring).split())
