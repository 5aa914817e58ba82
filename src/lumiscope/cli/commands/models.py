"""`lumiscope models`: what can be loaded by name."""

from __future__ import annotations

from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import JSON
from lumiscope.cli.output import print_rows, say


@command("models", order=90)
def models(
    pattern: Annotated[
        str, typer.Argument(help="Wildcards, with or without a source: '*resnet50*', 'timm:vit_*'.")
    ] = "*",
    json: JSON = False,
) -> None:
    """List the models that can be loaded by name."""
    from lumiscope.models import SOURCES

    scheme, colon, rest = pattern.partition(":")
    rows = [
        {"model": f"{source.scheme}:{name}"}
        for source in SOURCES.values()
        if not colon or source.scheme == scheme
        for name in source.names(rest if colon else pattern)
    ]
    if not rows and not json:
        from lumiscope.errors import UsageError

        forms = ", ".join(source.form for source in SOURCES.values())
        raise UsageError(f"no model matches {pattern!r}. Try '*resnet*'; specs look like {forms}.")
    print_rows(rows, ["model"], as_json=json)
    if not json and not colon:
        unlisted = [source.form for source in SOURCES.values() if not source.listed]
        say(f"Not listed are models named by where they are: {', '.join(unlisted)}.")
