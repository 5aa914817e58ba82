"""`lumiscope units`: units of a finished run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import JSON
from lumiscope.cli.output import print_data, print_json, print_rows, progress, say, unit_columns
from lumiscope.errors import UsageError
from lumiscope.p_values import P_COLUMNS, p_text

if TYPE_CHECKING:
    from lumiscope.runs import Run, UnitRow

COLUMNS = [
    "model", "layer", "unit", "label", "label_set_size", "further_labels", "category", "score", "q_value",
    "heldout_correlation", "stability", "reason",
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
    from lumiscope.runs import Run, UnitQuery, UnitRow, as_json, find_units

    opened = Run.open(run)
    query = UnitQuery(concept, layer, model, unit, category, no_label)
    matching = find_units(opened.rows(UnitRow), query)
    if page is not None:
        if len(matching) != 1:
            many = f"expected one unit for --page, found {len(matching)}"
            raise UsageError(f"{many}: add --unit LAYER:NUMBER and --model")
        _write_page(opened, matching[0], page)
    shown = matching[:limit]
    if json:
        print_json([as_json(row) for row in shown])
    elif unit is not None:
        for row in shown:
            print_data("\n".join(_facts(row)) + "\n")
    else:
        print_rows(map(unit_columns, shown), COLUMNS, as_json=False)
    if len(shown) < len(matching):
        say(f"the first {len(shown)} of {len(matching)} units")


def _write_page(run: Run, unit: UnitRow, path: Path) -> None:
    from lumiscope.report import write_unit_page
    from lumiscope.runs import find_crops

    crops = find_crops(run, unit)
    if not crops:
        from lumiscope.study import crops_of_unit

        crops = crops_of_unit(run, unit, track=progress)
    write_unit_page(run, unit, path, crops)
    say(f"wrote {path}")


def _facts(unit: UnitRow) -> Iterator[str]:
    """One line for each thing that is known of a unit."""
    hidden = {"best_concepts", "best_scores", "top_images", "top_activations", "reason_detail"}
    for name, value in unit_columns(unit).items():
        if name not in hidden and value not in (None, "", []):
            small = name in P_COLUMNS and isinstance(value, float)
            yield f"{name}: {p_text(value, '.4g') if small else _text(value)}"
    yield f"most similar: {_pairs(unit.best_concepts, unit.best_scores)}"
    yield f"most active on: {_pairs(unit.top_images, unit.top_activations)}"


def _pairs(names: Iterable[str], numbers: Iterable[float]) -> str:
    return ", ".join(f"{name} {number:.4g}" for name, number in zip(names, numbers, strict=False)) or "–"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
