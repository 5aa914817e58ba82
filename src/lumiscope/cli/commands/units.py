"""`lumiscope units`: units of a finished run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import JSON
from lumiscope.cli.output import print_json, print_rows, progress, say

COLUMNS = [
    "model", "layer", "unit", "label", "further_labels", "category", "score", "q_value", "heldout_correlation",
    "stability", "reason",
]  # fmt: skip


@command("units", order=50)
def units(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    concept: Annotated[
        str | None, typer.Option(help="Units that respond to it, wildcards allowed: labels first, then further labels.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Only this layer; wildcards allowed.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model; wildcards allowed.")] = None,
    unit: Annotated[
        str | None, typer.Option(metavar="LAYER:NUMBER", help="One unit, as layer4:447, and all that is known of it.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Only labels of this category; wildcards allowed.")] = None,
    no_label: Annotated[bool, typer.Option("--no-label", help="Only units without a label, and why.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    page: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write a page about the one unit found: pictures, histogram, evidence."),
    ] = None,
    json: JSON = False,
) -> None:
    """Search the units of a run by what they respond to.

    Nothing is computed again, except with --page where the run has no crops of that unit: then its layer runs on the
    pictures shown.
    """
    from lumiscope.errors import UsageError
    from lumiscope.study import Run, UnitQuery, find_units

    opened = Run.open(run)
    query = UnitQuery(concept, layer, model, unit, category, no_label)
    found = find_units(opened.table("units"), query)
    if page is not None:
        if len(found) != 1:
            raise UsageError(f"expected one unit for --page, found {len(found)}: add --unit LAYER:NUMBER and --model")
        _write_page(opened, found[0], page)
    shown = found[:limit]
    if json:
        print_json(shown)
    elif unit is not None:
        for row in shown:
            print("\n".join(_facts(row)) + "\n")
    else:
        print_rows((_flat(row) for row in shown), COLUMNS, as_json=False)
    if len(shown) < len(found):
        say(f"the first {len(shown)} of {len(found)} units")


def _write_page(run: Any, row: Mapping[str, Any], path: Path) -> None:
    from lumiscope.report import write_unit_page
    from lumiscope.study import crops_of_unit

    crops = crops_of_unit(run, row, track=progress)
    write_unit_page(run, row, path, crops)
    say(f"wrote {path}")


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "further_labels": ", ".join(row["further_labels"] or ())}


def _facts(row: Mapping[str, Any]) -> Iterable[str]:
    """One line for each thing that is known of a unit."""
    hidden = {"best_concepts", "best_scores", "top_images", "top_activations"}
    for name, value in row.items():
        if name not in hidden and value not in (None, "", []):
            yield f"{name}: {_text(value)}"
    yield f"most similar: {_pairs(row['best_concepts'], row['best_scores'])}"
    yield f"most active on: {_pairs(row['top_images'], row['top_activations'])}"


def _pairs(names: Iterable[str] | None, numbers: Iterable[float] | None) -> str:
    return ", ".join(f"{name} {number:.4g}" for name, number in zip(names or (), numbers or (), strict=False)) or "–"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
