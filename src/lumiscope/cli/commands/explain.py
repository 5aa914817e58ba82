"""`lumiscope explain`: maps only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.map_warnings import MapWarnings
from lumiscope.cli.options import (
    JSON,
    BackendOption,
    LimeParamsOption,
    MethodOption,
    ModelFlags,
    ModelOption,
    OnErrorOption,
    PrecisionOption,
    SaveLimeParamsOption,
    SeedOption,
    method_options,
    one_model,
    parse_target,
    split_list,
)
from lumiscope.cli.output import end_with_skipped, print_rows, progress, say, say_how


@command("explain", order=20)
def explain(
    images: Annotated[str, typer.Option(help="Images to explain: a folder, a 'glob*', a CSV or world:COUNT.")],
    model: ModelOption,
    out: Annotated[Path, typer.Option(help="Folder for the overlays (PNG) and arrays (npz).")] = Path("out"),
    methods: Annotated[str, typer.Option(help="Methods with commas, wildcards allowed.")] = "gradcam",
    option: MethodOption = None,
    target: Annotated[str, typer.Option(help="'predicted', 'label', a class index or a class name.")] = "predicted",
    unit: Annotated[
        str | None, typer.Option(metavar="LAYER:NUMBER", help="A unit instead of a class, so layer4:447.")
    ] = None,
    seed: SeedOption = 0,
    backend: BackendOption = None,
    precision: PrecisionOption = None,
    lime_params: LimeParamsOption = None,
    save_lime_params: SaveLimeParamsOption = None,
    on_error: OnErrorOption = "skip",
    flags: ModelFlags = ModelFlags(),  # noqa: B008 - frozen
    json: JSON = False,
) -> None:
    """Explain images: overlays and arrays, nothing else.

    For each image and method a PNG and an npz (values, display, and for LIME segments and coefficients). The PNG shows
    the view that the model saw under the map; LIME in blue (against the class) and orange (for it).

    With --unit the maps show what the unit's mean activation depends on, which the table gives as its score; a unit of
    a class token is LAYER@class:NUMBER, and --target-layer may name a layer up to the unit's own.
    """
    from lumiscope.images import open_images
    from lumiscope.report import write_maps
    from lumiscope.study import ExplanationPlan, explain_each
    from lumiscope.study.lime.parameters import parameters_of, read_lime_parameters, save_lime_parameters

    given = method_options(option or [])
    parameters = None if lime_params is None else read_lime_parameters(lime_params)
    found = open_images(images, on_error=on_error, track=progress)  # type: ignore[arg-type]
    loaded = one_model(model, flags)
    plan = ExplanationPlan.make(
        loaded,
        split_list(methods),
        target=parse_target(target),
        unit=unit,
        layer=flags.target_layer,
        options=given,
        seed=seed,
        backend=backend or "auto",
        precision=precision or "exact",  # type: ignore[arg-type]
        images=found,
        per_image=None if parameters is None else parameters.for_images(found, given.get("lime")),
    )
    used = {} if parameters is None and save_lime_params is None else parameters_of(plan, found)
    for note in () if parameters is None else parameters.notes_on(found):
        say(note)
    say_how(loaded, plan)
    made, failed, warnings = [], list(found.skipped), MapWarnings()
    for item, maps in explain_each(plan, found, failed, stop=on_error == "stop", track=progress):
        made += write_maps(maps, loaded.view(item), out, suffix=unit or "")
        for one in maps:
            warnings.add(one.item_id, one.method, one.remarks)
    if save_lime_params is not None:
        save_lime_parameters(save_lime_params, used)
        say(f"wrote {save_lime_params}")
    score = "probability" if unit is None else "score"
    print_rows(made, ["image", "method", "target", score, "overlay", "array"], as_json=json)
    for line in warnings.lines():
        say(line)
    end_with_skipped(failed)
