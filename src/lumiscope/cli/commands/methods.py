"""`lumiscope methods`: what can explain."""

from __future__ import annotations

import dataclasses

import typer

from lumiscope.cli.options import JSON
from lumiscope.cli.output import print_rows


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("methods")(methods)


def methods(json: JSON = False) -> None:
    """List the attribution methods, their cost and options."""
    from lumiscope.attribution import attribution_methods

    rows = [
        {
            "method": method.name,
            "title": method.title,
            "passes": method.passes,
            "needs_gradients": method.needs_gradients,
            "needs_layer": method.needs_layer,
            "mask_rule": method.mask_rule,
            "options": dataclasses.asdict(method.options()),
            "citation": method.citation,
        }
        for method in attribution_methods().values()
    ]
    print_rows(rows, ["method", "title", "passes", "mask_rule", "options", "citation"], as_json=json)
