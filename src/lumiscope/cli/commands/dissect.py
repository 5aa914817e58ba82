"""`lumiscope dissect`: labels only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lumiscope.cli.command import command
from lumiscope.cli.flags import Flags
from lumiscope.cli.options import (
    JSON,
    ModelFlags,
    OpenModelOption,
    RequiredProbe,
    StoreFlags,
    TableOption,
    one_model,
)
from lumiscope.cli.output import end_with_skipped, print_rows, progress, say, unit_columns
from lumiscope.errors import UsageError
from lumiscope.study import DissectConfig, RunConfig, split_list

if TYPE_CHECKING:
    from lumiscope.dissection import UnitLabels

COLUMNS = ["model", "layer", "unit", "label", "score", "margin", "category", "q_value", "heldout_correlation", "reason"]


@command("dissect", order=30)
def dissect(
    model: OpenModelOption,
    naming: RequiredProbe = Flags(),  # noqa: B008 - frozen
    count: Annotated[
        str | None,
        typer.Option(
            metavar="CONCEPT,…",
            help="Count units instead of listing them: fish,dog, wildcards allowed, '*' for all. Column units: units "
            "that have it as their label; further: units that have it only beside another label.",
        ),
    ] = None,
    out: TableOption = None,
    clip_dissect: Annotated[
        Path | None,
        typer.Option(
            "--clip-dissect",
            metavar="FILE.csv",
            help="Write CLIP-Dissect's format: layer, unit, description, similarity. It describes every unit, so units "
            "without a label get the most similar concept, too.",
        ),
    ] = None,
    store: StoreFlags = Flags(),  # noqa: B008
    flags: ModelFlags = Flags(),  # noqa: B008
    json: JSON = False,
) -> None:
    """Name the units of a model's layers with concepts, or say why a unit has no name.

    Every unit gets the concept of which its activations over the probing images are most alike, with score, margin to
    the runner-up and evidence: q_value says how likely chance gives as much (adjusted for all units of the layer),
    heldout_correlation how well the concept predicts the unit on images that had no part in choosing it. A unit whose
    evidence fails has no label and a reason. Stopped half-way? The same command goes on where it was.
    """
    from lumiscope.concepts import find_concepts
    from lumiscope.images import open_images
    from lumiscope.memo import Memo
    from lumiscope.runs import STORE
    from lumiscope.store import Store
    from lumiscope.study import Dissecting, validated

    _check_endings(out, clip_dissect)
    config = validated(DissectConfig, naming.given, "the command line")
    run = validated(RunConfig, store.given, "the command line")
    images = open_images(str(config.probe), on_error=run.on_error, track=progress)
    memo = Memo(Store(Path(run.runs) / STORE))
    dissecting = Dissecting.of(one_model(model, flags), images, config, run=run, memo=memo, track=progress)
    if count is not None:
        find_concepts(split_list(count), dissecting.study.concepts.words)  # a mistake shows before anything is computed
    labels = dissecting.labels()
    for note in labels.notes:
        say(note)
    _write(labels, count, out, clip_dissect)
    rows, columns = _table(labels, count, json)
    print_rows(rows, columns, as_json=json)
    end_with_skipped(images.skipped)


def _check_endings(out: Path | None, clip_dissect: Path | None) -> None:
    """Before anything is computed."""
    from lumiscope.runs import check_table_path

    if out is not None:
        check_table_path(out)
    if clip_dissect is not None and clip_dissect.suffix != ".csv":
        raise UsageError(f"expected a file that ends in .csv; got {clip_dissect}")


def _table(labels: UnitLabels, count: str | None, as_json: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows to print and their columns."""
    from lumiscope.dissection import count_units, unit_rows
    from lumiscope.runs import ConceptCountRow, table_of
    from lumiscope.runs import as_json as row_as_json

    if count is None:
        return list(map(row_as_json if as_json else unit_columns, unit_rows(labels))), COLUMNS
    return list(map(row_as_json, count_units(labels, split_list(count)))), table_of(ConceptCountRow).schema.names


def _write(labels: UnitLabels, count: str | None, out: Path | None, clip_dissect: Path | None) -> None:
    """Write the files asked for."""
    from lumiscope.dissection import count_units, unit_rows
    from lumiscope.runs import ConceptCountRow, save_clip_dissect, save_table, to_arrow

    if out is not None:
        counted = None if count is None else to_arrow(ConceptCountRow, count_units(labels, split_list(count)))
        save_table(labels.to_table() if counted is None else counted, out)
        say(f"wrote {out}")
    if clip_dissect is not None:
        units = unit_rows(labels)
        save_clip_dissect(units, clip_dissect)
        unlabelled = sum(unit.label is None for unit in units)
        end = f"; the descriptions of {unlabelled} units in it are no labels" if unlabelled else ""
        say(f"wrote {clip_dissect}{end}")
