"""`lumiscope netdissect`: units compared with annotated pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import (
    JSON,
    LAYERS,
    LayersOption,
    ModelFlags,
    OnErrorOption,
    OpenModelOption,
    SeedOption,
    StoreOption,
    TableOption,
    one_model,
    split_list,
)
from lumiscope.cli.output import end_with_skipped, print_rows, progress, say

if TYPE_CHECKING:
    import pyarrow as pa

    from lumiscope.dissection.network_dissection import NetworkDissection

COLUMNS = ["model", "layer", "unit", "concept", "category", "iou", "detector", "q_value"]
FORMULA = ["formula", "formula_iou", "heldout_iou", "heldout_word_iou"]


@command("netdissect", order=40)
def netdissect(
    probe: Annotated[str, typer.Option(help="Annotated images: world:COUNT, or a folder, 'glob*' or CSV.")],
    model: OpenModelOption,
    layers: LayersOption = None,
    annotations: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="concepts.csv (kind,number,word) and labels/KIND/IMAGE.png, as `lumiscope world` writes them. "
            "Default: what the world knows of its own pictures.",
        ),
    ] = None,
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
    seed: SeedOption = 0,
    out: TableOption = None,
    runs: StoreOption = "runs",
    on_error: OnErrorOption = "skip",
    flags: ModelFlags = ModelFlags(),  # noqa: B008 - frozen
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
    from lumiscope.store import Store
    from lumiscope.study import STORE, save_table
    from lumiscope.study.network_dissection import network_dissection

    _check(out, categories and count)
    found = open_images(probe, on_error=on_error, track=progress)  # type: ignore[arg-type]
    dissected = network_dissection(
        one_model(model, flags),
        found,
        layers=split_list(layers or LAYERS),
        annotations=annotations,
        quantile=quantile,
        least_iou=iou,
        compositions=compositions,
        seed=seed,
        store=Store(Path(runs) / STORE),
        track=progress,
    )
    table, columns = _table(dissected, categories, count, compositions)
    if out is not None:
        save_table(table, out)
        say(f"wrote {out}")
    print_rows(table.to_pylist(), columns, as_json=json)
    _say_detectors(dissected)
    end_with_skipped(found.skipped)


def _check(out: Path | None, both: bool) -> None:
    from lumiscope.errors import UsageError
    from lumiscope.study.tables import check_table_path

    if out is not None:
        check_table_path(out)
    if both:
        raise UsageError("expected one of --categories and --count; got both")


def _table(
    layers: Sequence[NetworkDissection], categories: bool, count: bool, formulas: bool
) -> tuple[pa.Table, list[str]]:
    """The table asked for, and the columns of it that are shown."""
    from lumiscope.dissection.network_dissection import category_table, detector_table, unit_table

    if categories or count:
        table = category_table(layers) if categories else detector_table(layers)
        return table, table.column_names
    return unit_table(layers), [*COLUMNS, *(FORMULA if formulas else []), "reason"]


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
