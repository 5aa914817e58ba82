"""`lumiscope world`: the built-in world as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import JSON
from lumiscope.cli.output import print_data, print_json, progress


@command("world", order=130)
def world(
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A new folder for images, masks, label maps and lists.")
    ] = None,
    sheet: Annotated[Path | None, typer.Option(metavar="FILE.png", help="A contact sheet to write.")] = None,
    count: Annotated[int, typer.Option(help="How many images; a sheet beside --out shows 64 at most.")] = 64,
    seed: Annotated[int, typer.Option(help="Image i of a seed is always the same.")] = 0,
    without: Annotated[
        str | None,
        typer.Option(
            metavar="WORD",
            help="Write pairs: each picture again in DIR/without-WORD/ with one thing left out (an object, part, "
            "texture, colour or scene) and all else as it is.",
        ),
    ] = None,
    json: JSON = False,
) -> None:
    """Write pictures of the built-in world, with what is true of every pixel.

    DIR gets images/, masks/ (of the main object), labels/KIND/ (for scene, object, part, colour and texture the number
    of the word at each pixel), concepts.csv (what the numbers mean) and labels.csv, which --images and --probe take.
    Without files: --images world:COUNT@SEED.
    """
    from lumiscope.errors import UsageError
    from lumiscope.world import check_sheet, write_dataset, write_sheet

    if out is None and sheet is None:
        raise UsageError("expected what to write: --out DIR, --sheet FILE.png, or both")
    if without is not None and out is None:
        raise UsageError("expected where to write the pairs: --out DIR")
    written = {}
    shown = count if out is None else min(count, 64)
    if out is not None:
        if sheet is not None:
            check_sheet(sheet, shown)
        written["labels"] = str(write_dataset(out, count, seed, without=without, track=progress))
    if sheet is not None:
        written = {"sheet": str(write_sheet(sheet, shown, seed, track=progress)), **written}
    if json:
        print_json({**written, "count": count, "seed": seed})
    else:
        print_data("\n".join(written.values()))
