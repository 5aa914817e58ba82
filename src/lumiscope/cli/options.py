"""The options that commands share, and the model that they describe."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lumiscope.cli.flags import Fields, Flags
from lumiscope.errors import UsageError
from lumiscope.study import DissectConfig, ExplainConfig, ModelConfig, RunConfig

if TYPE_CHECKING:
    from lumiscope.models import BlackBox, TorchModel

ANY_MODEL = "A spec (timm:…, python:pkg.mod:name, onnx:FILE, http://…) or FILE.toml"
OPEN_MODEL = "A spec (timm:…, torchvision:…, python:pkg.mod:factory) or FILE.toml."

JSON = Annotated[bool, typer.Option("--json", help="Print data as JSON on stdout.")]
ModelOption = Annotated[str, typer.Option("--model", help=f"{ANY_MODEL}.")]
ModelsOption = Annotated[list[str] | None, typer.Option("--model", help=f"{ANY_MODEL}; repeatable.")]
OpenModelOption = Annotated[str, typer.Option("--model", help=OPEN_MODEL)]
TableOption = Annotated[Path | None, typer.Option("--out", help="Write the table here as well (.parquet or .csv).")]
SaveLimeParamsOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write LIME's parameters of every image: .json, .toml or .pkl.")
]

SERVER_DIR = Annotated[Path, typer.Option("--dir", help="The server's folder.")]
SERVER_DATABASE = Annotated[
    str, typer.Option(help="postgresql+psycopg://…; SQLite in the server's folder, if not given.", show_default=False)
]

ModelFlags = Flags[ModelConfig]
StoreFlags = Annotated[Flags[RunConfig], Fields(only=("seed", "runs", "on_error"))]
RequiredImages = Annotated[
    Flags[ExplainConfig],
    Fields(
        without=("masks",),
        required=("images",),
        helps=(("methods", "Methods with commas, wildcards allowed. Default: gradcam."),),
    ),
]
RequiredProbe = Annotated[Flags[DissectConfig], Fields(without=("annotations",), required=("probe", "scorer"))]


def model_configs(specs: list[str], flags: Flags[ModelConfig]) -> list[ModelConfig]:
    """One config for each --model: a spec with the flags, or a file. Errors: `UsageError`."""
    from lumiscope.study import load_model_config, validated

    given = dict(flags.given)
    device = given.pop("device", None)
    if given and (len(specs) > 1 or specs[0].endswith(".toml")):
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(
            f"{names} can describe one model only. Write each model as a file (--model FILE.toml with spec, name, "
            "weights, classes, options, mean, …) or all of them as [[models]] of a study file (--config)."
        )
    configs = [
        load_model_config(Path(spec))
        if spec.endswith(".toml")
        else validated(ModelConfig, {"spec": spec, **given}, "the command line")
        for spec in specs
    ]
    return [dataclasses.replace(config, device=device) if device else config for config in configs]


def one_model(spec: str, flags: Flags[ModelConfig]) -> TorchModel | BlackBox:
    """Load the model that the command line describes."""
    from lumiscope.models import default_name
    from lumiscope.study import load_configured

    (config,) = model_configs([spec], flags)
    return load_configured(config, config.name or default_name(config.spec))
