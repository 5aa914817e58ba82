"""`lumiscope dissect`: labels only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import (
    JSON,
    LAYERS,
    LabelFlags,
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
    from lumiscope.dissection import EvidenceOptions
    from lumiscope.types import UnitLabels

COLUMNS = ["model", "layer", "unit", "label", "score", "margin", "category", "q_value", "heldout_correlation", "reason"]


@command("dissect", order=30)
def dissect(
    probe: Annotated[str, typer.Option(help="Images to dissect with: a folder, a 'glob*', a CSV or world:COUNT.")],
    model: OpenModelOption,
    scorer: Annotated[str, typer.Option(help="What says which concepts are in a probing image: {scorers}.")],
    layers: LayersOption = None,
    naming: LabelFlags = LabelFlags(),  # noqa: B008 - frozen
    seed: SeedOption = 0,
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
    runs: StoreOption = "runs",
    on_error: OnErrorOption = "skip",
    flags: ModelFlags = ModelFlags(),  # noqa: B008 - frozen
    json: JSON = False,
) -> None:
    """Name the units of a model's layers with concepts, or say why a unit has no name.

    Every unit gets the concept of which its activations over the probing images are most alike, with score, margin to
    the runner-up and evidence: q_value says how likely chance gives as much (adjusted for all units of the layer),
    heldout_correlation how well the concept predicts the unit on images that had no part in choosing it. A unit whose
    evidence fails has no label and a reason. Stopped half-way? The same command goes on where it was.
    """
    from lumiscope.concepts.patterns import find_concepts
    from lumiscope.images import open_images
    from lumiscope.scorers import load_scorer
    from lumiscope.store import Store
    from lumiscope.study import STORE, save_table
    from lumiscope.study import dissect as dissect_model
    from lumiscope.study.dissect import choose_concepts

    _check_endings(out, clip_dissect)
    evidence = _evidence(naming)
    opened = load_scorer(scorer, prompts=naming.prompt)
    words = choose_concepts(naming.concepts, opened)
    if count is not None:
        find_concepts(split_list(count), words.words)  # a mistake shows before anything is computed
    found = open_images(probe, on_error=on_error, track=progress)  # type: ignore[arg-type]
    labels = dissect_model(
        one_model(model, flags),
        found,
        layers=split_list(layers or LAYERS),
        scorer=opened,
        concepts=words,
        similarity=naming.similarity or "auto",
        pooling=naming.pooling or "mean",  # type: ignore[arg-type]
        evidence=evidence,
        seed=seed,
        store=Store(Path(runs) / STORE),
        track=progress,
    )
    for note in labels.notes:
        say(note)
    table, columns = _table(labels, count)
    if out is not None:
        save_table(table, out)
        say(f"wrote {out}")
    if clip_dissect is not None:
        _write_clip_dissect(labels, clip_dissect)
    print_rows(table.to_pylist(), columns, as_json=json)
    end_with_skipped(found.skipped)


def _evidence(naming: LabelFlags) -> EvidenceOptions:
    """What a label must pass; the defaults where nothing was said."""
    from lumiscope.dissection import EvidenceOptions

    usual = EvidenceOptions()
    return EvidenceOptions(
        fdr=usual.fdr if naming.fdr is None else naming.fdr,
        min_stability=usual.min_stability if naming.min_stability is None else naming.min_stability,
    )


def _check_endings(out: Path | None, clip_dissect: Path | None) -> None:
    """Before anything is computed."""
    from lumiscope.errors import UsageError
    from lumiscope.study.tables import check_table_path

    if out is not None:
        check_table_path(out)
    if clip_dissect is not None and clip_dissect.suffix != ".csv":
        raise UsageError(f"expected a file that ends in .csv; got {clip_dissect}")


def _table(labels: UnitLabels, count: str | None) -> tuple[Any, list[str]]:
    """The table to write and the columns of it to print."""
    from lumiscope.dissection import count_units

    if count is None:
        return labels.to_table(), COLUMNS
    counted = count_units(labels, split_list(count))
    return counted, counted.column_names


def _write_clip_dissect(labels: UnitLabels, path: Path) -> None:
    from lumiscope.study import save_clip_dissect

    table = labels.to_table()
    save_clip_dissect(table, path)
    unlabelled = table["label"].null_count
    say(f"wrote {path}" + (f"; the descriptions of {unlabelled} units in it are no labels" if unlabelled else ""))
