"""`lumiscope layers`: what a model consists of."""

from __future__ import annotations

from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.flags import Flags
from lumiscope.cli.options import JSON, OPEN_MODEL, ModelFlags, one_model
from lumiscope.cli.output import print_rows, say


@command("layers", order=100)
def layers(
    model: Annotated[str, typer.Argument(help=OPEN_MODEL)],
    flags: ModelFlags = Flags(),  # noqa: B008 - frozen
    json: JSON = False,
) -> None:
    """List a model's layers, shapes and numbers of units.

    The column `role` marks the layer that the CAM family looks at ("target") and the ends of stages ("stage"; the last
    five are what `--layers auto:5` dissects). A network of equal blocks, as a ViT, is a single stage: its blocks are
    marked ("block"), and `auto:5` takes five of them, evenly spaced. `class_token` is the address at which the units of
    a layer's class token are dissected; its name alone means the patches. Weights change nothing here:
    `--weights random` needs no download.
    """
    from lumiscope.attribution import look_inside
    from lumiscope.errors import LayerError
    from lumiscope.models import equal_blocks, stage_notes, stages

    loaded = look_inside(one_model(model, flags), "a list of layers")
    try:
        target = loaded.target_layer
    except LayerError:
        target = None
    blocks = equal_blocks(loaded.layers)
    roles = {layer.name: "block" if blocks else "stage" for layer in blocks or stages(loaded.layers)}
    for note in stage_notes(loaded.layers):
        say(f"{loaded.name}: {note}")
    rows = [
        {
            "layer": layer.name,
            "type": layer.kind,
            "shape": list(layer.shape),
            "units": layer.units,
            "class_token": layer.class_address or "",
            "role": "target" if layer.name == target else roles.get(layer.name, ""),
        }
        for layer in loaded.layers
    ]
    print_rows(rows, ["layer", "type", "shape", "units", "class_token", "role"], as_json=json)
