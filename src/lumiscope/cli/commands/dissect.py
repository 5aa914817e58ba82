"""`lumiscope dissect`: labels only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumiscope.cli.groups import with_groups
from lumiscope.cli.options import JSON, ModelFlags, one_model, split_list
from lumiscope.cli.output import print_rows, progress, say


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("dissect")(with_groups(dissect))


def dissect(
    probe: Annotated[str, typer.Option(help="Images to dissect with: a folder, a 'glob*', a CSV or world:COUNT.")],
    model: Annotated[str, typer.Option(help="A spec (timm:…, torchvision:…, python:pkg.mod:factory) or FILE.toml.")],
    scorer: Annotated[str, typer.Option(help="open_clip:ARCH/PRETRAINED, table:FILE.npz or world:clip.")],
    layers: Annotated[str, typer.Option(help="Names, wildcards, auto (before the pooling) or auto:5.")] = "auto:5",
    concepts: Annotated[
        str | None, typer.Option(help="A text file, 'visual' or 'world' (shipped). Default: the scorer's own words.")
    ] = None,
    similarity: Annotated[str, typer.Option(help="cos, cos_cubed, wpmi, soft_wpmi, rank_reorder.")] = "soft_wpmi",
    count: Annotated[bool, typer.Option("--count", help="Count units per concept instead of listing units.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the table here as well (.parquet or .csv).")] = None,
    on_error: Annotated[str, typer.Option(metavar="skip|stop", help="What a bad image does.")] = "skip",
    flags: ModelFlags = ModelFlags(),  # noqa: B008 - frozen
    json: JSON = False,
) -> None:
    """Name the units of a model's layers with concepts.

    Every unit gets the concept of which its activations over the probing images are most alike, with score and margin
    to the runner-up, or the reason why it has no label.
    """
    from lumiscope.dissection import concept_counts
    from lumiscope.images import open_images
    from lumiscope.study import dissect as dissect_model
    from lumiscope.study import save_table

    found = open_images(probe, on_error=on_error, track=progress)  # type: ignore[arg-type]
    labels = dissect_model(
        one_model(model, flags),
        found,
        layers=split_list(layers),
        scorer=scorer,
        concepts=concepts,
        similarity=similarity,
        track=progress,
    )
    for note in labels.notes:
        say(note)
    table = concept_counts(labels) if count else labels.to_table()
    columns = table.column_names if count else ["model", "layer", "unit", "label", "score", "margin", "category"]
    if out is not None:
        save_table(table, out)
        say(f"wrote {out}")
    print_rows(table.to_pylist(), columns, as_json=json)
    for entry in found.skipped:
        say(f"skipped {entry.name}: {entry.reason}")
    if found.skipped:
        raise typer.Exit(3)
