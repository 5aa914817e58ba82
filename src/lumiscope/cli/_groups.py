"""Options that are fields: parameters of a command that stand for the tables of a study, spread out for typer."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any

from lumiscope.cli.flags import flag_parameters, is_flags, read_flags


def with_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Spread every parameter that is `Flags` into one option a field; the command gets what the user gave of them."""
    hints = typing.get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    spread_hints: dict[str, Any] = {}
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        if is_flags(hint):
            spread_hints[parameter.name] = hint
            parameters += flag_parameters(parameter.name, hint)
        else:
            parameters.append(parameter.replace(annotation=hint))

    @functools.wraps(command)
    def spread(**given: Any) -> None:
        flags = {name: read_flags(name, hint, given) for name, hint in spread_hints.items()}
        command(**given, **flags)

    ordered = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    spread.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
    spread.__annotations__ = {parameter.name: parameter.annotation for parameter in ordered}
    return spread
