"""`lumiscope netdissect`: units compared with annotated pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lumiscope.cli.command import command
from lumiscope.cli.flags import Fields, Flags
from lumiscope.cli.options import (
    JSON,
    ModelFlags,
    OpenModelOption,
    StoreFlags,
    TableOption,
    one_model,
)
from lumiscope.cli.output import end_with_skipped, print_rows, progress, say, unit_columns
from lumiscope.errors import UsageError
from lumiscope.study import DissectConfig, RunConfig

if TYPE_CHECKING:
    from lumiscope.dissection import NetworkDissection

COLUMNS = ["model", "layer", "unit", "concept", "category", "iou", "detector", "q_value"]
FORMULA = ["formula", "formula_iou", "heldout_iou", "heldout_word_iou"]


Probing = Annotated[Flags[DissectConfig], Fields(only=("probe", "layers", "annotations"), required=("probe",))]


@command("netdissect", order=40)
def netdissect(
    model: OpenModelOption,
    probing: Probing = Flags(),  # noqa: B008 - frozen
    quantile: Annotated[float, typer.Option(help="The share of positions on which each unit fires.")] = 0.005,
    iou: Annotated[float, typer.Option(help="The overlap from which a unit is called a detector.")] = 0.04,
    compositions: Annotated[
        bool, typer.Option("--compositions", help="Look for formulas too, as '(fish or boat) and not sea'.")
    ] = False,
    categories: Annotated[
        bool, typer.Option("--categories", help="List the best concept of every category for each unit.")
    ] = False,
    count: Annotated[
        bool, typer.Option("--count", help="Count detectors per layer and category instead of listing units.")
    ] = False,
    out: TableOption = None,
    store: StoreFlags = Flags(),  # noqa: B008
    flags: ModelFlags = Flags(),  # noqa: B008
    json: JSON = False,
) -> None:
    """Name units by the annotated pixels on which they fire (Network Dissection).

    A unit fires where its map, enlarged to the picture, exceeds what it exceeds on 0.5 % of all positions. Its concept
    is the one whose pixels overlap most with these: intersection over union, over all images. From an IoU of 0.04 the
    unit is called a detector. That is a convention, no test: q_value says how likely so good a match is by chance, from
    the same maps laid over the annotations of other images, adjusted over the units of the layer.

    \b
        lumiscope netdissect --probe world:500 --model world:objects
        lumiscope netdissect --probe photos/ --annotations photos/ --model timm:resnet18.a1_in1k --layers 'layer*'

    Detectors per layer and category are summed up on stderr; --count gives them as a table.
    """
    from lumiscope.images import open_images
    from lumiscope.memo import Memo
    from lumiscope.runs import STORE, NetworkDissectionRow, as_json, save_table, table_of, to_arrow
    from lumiscope.store import Store
    from lumiscope.study import Dissecting, validated

    _check(out, categories and count)
    config = validated(DissectConfig, probing.given, "the command line")
    run = validated(RunConfig, store.given, "the command line")
    images = open_images(str(config.probe), on_error=run.on_error, track=progress)
    memo = Memo(Store(Path(run.runs) / STORE))
    dissecting = Dissecting.of(one_model(model, flags), images, config, run=run, memo=memo, track=progress)
    layers = dissecting.detectors(quantile=quantile, least_iou=iou, compositions=compositions)
    row, rows = _rows(layers, categories, count)
    columns = table_of(row).schema.names
    if row is NetworkDissectionRow:
        columns = [*COLUMNS, *(FORMULA if compositions else []), "reason"]
    if out is not None:
        save_table(to_arrow(row, rows), out)
        say(f"wrote {out}")
    print_rows(map(unit_columns if row is NetworkDissectionRow and not json else as_json, rows), columns, as_json=json)
    _say_detectors(layers)
    end_with_skipped(images.skipped)


def _check(out: Path | None, both: bool) -> None:
    from lumiscope.runs import check_table_path

    if out is not None:
        check_table_path(out)
    if both:
        raise UsageError("expected one of --categories and --count; got both")


def _rows(layers: Sequence[NetworkDissection], categories: bool, count: bool) -> tuple[type[Any], list[Any]]:
    """The table asked for: its row type and rows."""
    from lumiscope.dissection import category_rows, detector_rows, network_dissection_rows
    from lumiscope.runs import CategoryBestRow, DetectorRow, NetworkDissectionRow

    if categories:
        return CategoryBestRow, category_rows(layers)
    return (DetectorRow, detector_rows(layers)) if count else (NetworkDissectionRow, network_dissection_rows(layers))


def _say_detectors(layers: Sequence[NetworkDissection]) -> None:
    """One sentence a layer: how many detectors of which categories."""
    for layer in layers:
        unique = layer.unique_detectors
        kinds = Counter(layer.categories[concept] for concept in unique)
        parts = ", ".join(f"{kind} {number}" for kind, number in kinds.items())
        say(
            f"{layer.model}, {layer.layer}: {int(layer.detector.sum())} of {len(layer)} units are detectors, of "
            f"{len(unique)} concepts" + (f" ({parts})" if parts else "")
        )
