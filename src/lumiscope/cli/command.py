"""Commands by name: each file of `commands` registers its own with `@command`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import typer

from lumiscope.cli._groups import with_flags
from lumiscope.cli._listed import ListingCommand
from lumiscope.cli._stdout import apart_from_prints
from lumiscope.registry import Registry


@dataclass(frozen=True)
class Command:
    """What `lumiscope NAME` does.

    `name`: one word, or two for a command in a group. `run`: the function, with one parameter for each option. `help`:
    None where the function's docstring is it. `group`: of two words, what the first is about.
    """

    name: str
    run: Callable[..., None]
    help: str | None
    group: str


COMMANDS: Registry[Command] = Registry("command", package="lumiscope.cli.commands")
"""Every command by name, in the order of `lumiscope --help`."""


def command(
    name: str, *, order: int, help: str | None = None, group: str = ""
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register the decorated function as `lumiscope NAME`; see `Command`.

    A parameter that is `Flags[SomeConfig]` is spread into an option for each of its fields. `order`: the place in
    `lumiscope --help`; groups come after all commands.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        entry = Command(name, apart_from_prints(with_flags(function)), help, group)
        COMMANDS.register(name, entry, defined_by=function, order=order)
        return function

    return register


def add_commands(app: typer.Typer) -> None:
    """Add every command to `app`."""
    groups: dict[str, typer.Typer] = {}
    for name, entry in COMMANDS.items():
        first, _, last = name.rpartition(" ")
        if first and first not in groups:
            groups[first] = typer.Typer(help=entry.group, no_args_is_help=True)
            app.add_typer(groups[first], name=first)
        home = groups[first] if first else app
        home.command(last, help=entry.help, cls=ListingCommand)(entry.run)
