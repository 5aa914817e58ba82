"""`lumiscope why`: the units that made a prediction, with their labels."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import JSON
from lumiscope.cli.output import print_data, print_json
from lumiscope.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from lumiscope.runs import Account


@command("why", order=60)
def why(
    run: Annotated[Path, typer.Argument(help="A run folder with explained images and dissected layers.")],
    image: Annotated[str | None, typer.Option(help="One image of the run. Default: all.")] = None,
    model: Annotated[str | None, typer.Option(help="One model of the run. Default: all.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many units to show; a run keeps ten.")] = 5,
    json: JSON = False,
) -> None:
    """Tell why a model predicts what it does: the units that contributed most, with their labels.

    The numbers are shares of the score's rise over the one with the layer silent: 0.31 is 31 % of it, a negative share
    speaks against the class. All units together are 100 % but for what the integration misses.
    """
    from lumiscope.runs import Run, accounts_of

    accounts = accounts_of(Run.open(run))
    if not accounts:
        raise UsageError(
            f"the run {run} has no contributions of units: they need images to explain and layers to dissect, so "
            "--images, --probe and --scorer of `lumiscope run`, and a model that can be looked into."
        )
    _check("image", image, [account.image for account in accounts])
    _check("model", model, [account.model for account in accounts])
    wanted = [
        account.shown(top) for account in accounts if image in (None, account.image) and model in (None, account.model)
    ]
    if not wanted:
        raise UsageError(f"the run {run} has no contributions for the image {image} by the model {model}")
    if json:
        print_json([_as_json(account) for account in wanted])
        return
    several = len({account.model for account in wanted}) > 1
    for account in wanted:
        print_data(f"{account.model}: {account.text()}" if several else account.text())


def _check(kind: str, name: str | None, known: list[str]) -> None:
    """Errors: `UnknownNameError` with the nearest names."""
    if name is not None and name not in known:
        raise UnknownNameError(kind, name, list(dict.fromkeys(known)))


def _as_json(account: Account) -> dict[str, Any]:
    return {**dataclasses.asdict(account), "shown_units": account.shown_units}
