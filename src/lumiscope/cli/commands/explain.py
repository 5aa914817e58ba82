"""`lumiscope explain`: maps only."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.flags import Flags
from lumiscope.cli.map_warnings import MapWarnings
from lumiscope.cli.options import (
    JSON,
    ModelFlags,
    ModelOption,
    RequiredImages,
    SaveLimeParamsOption,
    StoreFlags,
    one_model,
)
from lumiscope.cli.output import end_with_skipped, print_rows, progress, say, say_how
from lumiscope.study import ExplainConfig, RunConfig

METHODS = ["gradcam"]


@command("explain", order=20)
def explain(
    model: ModelOption,
    explaining: RequiredImages = Flags(),  # noqa: B008 - frozen
    out: Annotated[Path, typer.Option(help="Folder for the overlays (PNG) and arrays (npz).")] = Path("out"),
    unit: Annotated[
        str | None, typer.Option(metavar="LAYER:NUMBER", help="A unit instead of a class, so layer4:447.")
    ] = None,
    save_lime_params: SaveLimeParamsOption = None,
    store: StoreFlags = Flags(),  # noqa: B008
    flags: ModelFlags = Flags(),  # noqa: B008
    json: JSON = False,
) -> None:
    """Explain images: overlays and arrays, nothing else.

    For each image and method a PNG and an npz (values, display, and for LIME segments and coefficients). The PNG shows
    the view that the model saw under the map; LIME in blue (against the class) and orange (for it).

    With --unit the maps show what the unit's mean activation depends on, which the table gives as its score; a unit of
    a class token is LAYER@class:NUMBER, and --target-layer may name a layer up to the unit's own.

    Maps are kept in the store, where `lumiscope run` finds them, too.
    """
    from lumiscope.images import open_images
    from lumiscope.models import unmatched_labels
    from lumiscope.report import write_maps
    from lumiscope.runs import STORE
    from lumiscope.store import Store
    from lumiscope.study import Explaining, validated
    from lumiscope.study.files import options_of_images, parameters_of, save_lime_parameters

    config = validated(ExplainConfig, {"methods": METHODS, **explaining.given}, "the command line")
    run = validated(RunConfig, store.given, "the command line")
    images = open_images(str(config.images), on_error=run.on_error, track=progress)
    per_image, notes = options_of_images(config, images)
    loaded = one_model(model, flags)
    work = Explaining.of(
        loaded,
        images,
        config,
        layer=flags.given.get("target_layer"),
        unit=unit,
        seed=run.seed,
        per_image=per_image,
        store=Store(Path(run.runs) / STORE),
        track=progress,
    )
    with_lime = config.lime_params is not None or save_lime_params is not None
    used = parameters_of(work.plan, images) if with_lime else {}
    for note in notes:
        say(note)
    say_how(loaded, work.plan)
    if config.target == "label" and (unmatched := unmatched_labels(loaded, images)):
        say(f"{loaded.name}: {unmatched}")
    written, failed, warnings = [], list(images.skipped), MapWarnings()
    for item, maps in work.each(failed, stop=run.on_error == "stop"):
        written += write_maps(maps, loaded.view(item), out, suffix=unit or "")
        for saliency in maps:
            warnings.add(saliency.item_id, saliency.method, saliency.remarks)
    if save_lime_params is not None:
        save_lime_parameters(save_lime_params, used)
        say(f"wrote {save_lime_params}")
    score = "probability" if unit is None else "score"
    print_rows(map(dataclasses.asdict, written), ["image", "method", "target", score, "overlay", "array"], as_json=json)
    for line in warnings.lines():
        say(line)
    end_with_skipped(failed)
