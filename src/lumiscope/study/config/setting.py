"""One field of a study: a value with its default, and what a user must know to set it, in a file or by a flag."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FORBID_UNKNOWN = {"extra": "forbid"}  # for pydantic, which checks the tables of a study


@dataclass(frozen=True)
class Setting:
    """What is known of a field. `help`: a sentence for whoever sets it; `{similarities}` stands for what is registered.

    `flag`: the option of the command line, "" for the field's own name, None for no option. `metavar`: how a value
    looks. `read`: from the text of the option, or its texts where it is `repeatable`, to the value.
    """

    help: str
    flag: str | None = ""
    metavar: str | None = None
    repeatable: bool = False
    read: Callable[[Any], Any] | None = None


def setting(
    default: Any = None,
    *,
    help: str,
    flag: str | None = "",
    metavar: str | None = None,
    repeatable: bool = False,
    read: Callable[[Any], Any] | None = None,
) -> Any:
    """A field of a config dataclass; see `Setting`. `default`: a value, or a class such as `dict` that makes it."""
    metadata = {"setting": Setting(help, flag, metavar, repeatable, read)}
    if isinstance(default, type):
        return dataclasses.field(default_factory=default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def setting_of(field: dataclasses.Field[Any]) -> Setting | None:
    """What is known of a field of a config dataclass; None for one without a setting."""
    return field.metadata.get("setting")
