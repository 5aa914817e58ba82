"""Flags made of the tables of a study: one option a field, so that file and command line cannot drift apart."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import typer

from lumiscope.errors import UsageError
from lumiscope.study import Setting, setting_of

Config = TypeVar("Config")


@dataclass(frozen=True)
class Flags(Generic[Config]):
    """What a user set of the fields of a config, by name. As a parameter of a command: one option a field."""

    given: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Fields:
    """Beside `Flags`: which fields are options. `only`: None for all but `without`. `required`: must be given.

    `helps`: (field, sentence) where the command says another one than the config.
    """

    only: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    helps: tuple[tuple[str, str], ...] = ()


def is_flags(hint: Any) -> bool:
    """Whether a parameter's type is `Flags`."""
    return typing.get_origin(_plain(hint)) is Flags


def flag_parameters(prefix: str, hint: Any) -> Iterator[inspect.Parameter]:
    """One parameter for each field of the config that is an option; its name begins with `prefix`."""
    config, which = _parts(hint)
    hints = typing.get_type_hints(config)
    for field in dataclasses.fields(config):
        known = setting_of(field)
        wanted = field.name in which.only if which.only is not None else field.name not in which.without
        if known is not None and known.flag is not None and wanted:
            kind, default = _kind(known, hints[field.name], required=field.name in which.required)
            option = typer.Option(
                _flag(field.name, known), help=dict(which.helps).get(field.name, known.help), metavar=known.metavar
            )
            annotation: Any = typing.Annotated[kind, option]
            yield inspect.Parameter(
                f"{prefix}_{field.name}", inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
            )


def read_flags(prefix: str, hint: Any, given: dict[str, Any]) -> Flags[Any]:
    """What was given to `flag_parameters`, read as values of the fields; it is taken out of `given`.

    Errors: `UsageError`.
    """
    config, _ = _parts(hint)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        text = given.pop(f"{prefix}_{field.name}", None)
        known = setting_of(field)
        if known is None or text is None or text is False or text == []:
            continue
        try:
            values[field.name] = text if known.read is None else known.read(text)
        except UsageError as error:
            if type(error) is not UsageError:
                raise
            raise UsageError(f"{_flag(field.name, known)}: {error}") from error
    return Flags(values)


def _flag(name: str, known: Setting) -> str:
    return known.flag or "--" + name.replace("_", "-")


def _kind(known: Setting, hint: Any, *, required: bool) -> tuple[Any, Any]:
    """The type of an option and its default: None, or nothing where it is required."""
    plain = _plain(hint)
    if known.repeatable:
        return list[str], []
    if plain is bool:
        return bool, False
    kind = plain if plain in (int, float) and known.read is None else str
    return (kind, inspect.Parameter.empty) if required else (kind | None, None)


def _plain(hint: Any) -> Any:
    """A type without `Annotated` and `| None`."""
    while typing.get_origin(hint) in (typing.Annotated, types.UnionType, typing.Union):
        parts = typing.get_args(hint)
        some = parts[:1] if typing.get_origin(hint) is typing.Annotated else [p for p in parts if p is not type(None)]
        if len(some) != 1:
            return str
        hint = some[0]
    return str if typing.get_origin(hint) is Literal else hint


def _parts(hint: Any) -> tuple[type, Fields]:
    config = typing.get_args(_plain(hint))[0]
    extra = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    return config, next((part for part in extra if isinstance(part, Fields)), Fields())
