"""The options that commands share."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lumiscope.errors import UsageError

if TYPE_CHECKING:
    from lumiscope.models import BlackBox, TorchModel
    from lumiscope.study import ModelConfig

LAYERS = "auto:5"  # what is dissected where nothing else is asked for
ANY_MODEL = "A spec (timm:…, python:pkg.mod:name, onnx:FILE, http://…) or FILE.toml"
OPEN_MODEL = "A spec (timm:…, torchvision:…, python:pkg.mod:factory) or FILE.toml."

JSON = Annotated[bool, typer.Option("--json", help="Print data as JSON on stdout.")]
ModelOption = Annotated[str, typer.Option("--model", help=f"{ANY_MODEL}.")]
ModelsOption = Annotated[list[str] | None, typer.Option("--model", help=f"{ANY_MODEL}; repeatable.")]
OpenModelOption = Annotated[str, typer.Option("--model", help=OPEN_MODEL)]
LayersOption = Annotated[
    str | None,
    typer.Option(
        "--layers", help=f"Layers to dissect: names, wildcards, auto (before the pooling) or {LAYERS} (default)."
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", help="All random choices derive from it.")]
OnErrorOption = Annotated[str, typer.Option("--on-error", metavar="skip|stop", help="What a bad image does.")]
StoreOption = Annotated[str, typer.Option("--runs", help="Folder of the store: what is in it is not computed again.")]
TableOption = Annotated[Path | None, typer.Option("--out", help="Write the table here as well (.parquet or .csv).")]
MethodOption = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="METHOD.KEY=VALUE", help="So lime.num_samples=500; repeatable."),
]
ImagesOption = Annotated[
    str | None, typer.Option("--images", help="Images to explain: a folder, a 'glob*', a CSV or world:COUNT.")
]
ProbeOption = Annotated[
    str | None, typer.Option("--probe", help="Images to dissect with: a folder, a 'glob*', a CSV or world:COUNT.")
]
BackendOption = Annotated[
    str | None,
    typer.Option(
        metavar="{backends}",
        help="What runs methods that need many passes. Default: auto, the fastest whose logits are right.",
    ),
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        metavar="exact|fast",
        help="exact: float32, maps within 1e-3 of torch's (default). fast: bfloat16 where that is faster, within 0.02.",
    ),
]
LimeParamsOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="LIME's parameters image by image: .json, .toml or .pkl (never unpickled)."),
]
SaveLimeParamsOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write LIME's parameters of every image: .json, .toml or .pkl.")
]

ScorerOption = Annotated[
    str | None,
    typer.Option(
        "--scorer",
        help="What says which concepts are in a probing image: {scorers and what they are}.",
    ),
]


@dataclass(frozen=True)
class LabelFlags:
    """How a user says what units are named with, and what a label must pass; None: as a study does by default."""

    concepts: Annotated[
        str | None,
        typer.Option(help="Concepts: a text file, 'visual' or 'world' (shipped). Default: the scorer's own words."),
    ] = None
    prompt: Annotated[
        list[str], typer.Option(metavar="TEXT", help="So 'a photo of a {}'; several are averaged. Repeatable.")
    ] = field(default_factory=list)
    similarity: Annotated[
        str | None,
        typer.Option(
            help="auto (default: what suits the scores), {similarities}.",
        ),
    ] = None
    pooling: Annotated[
        str | None, typer.Option(metavar="mean|max", help="One number of a unit's map. Default: mean.")
    ] = None
    fdr: Annotated[
        float | None, typer.Option(help="The share of labels that may be chance; 1 labels every unit. Default: 0.05.")
    ] = None
    min_stability: Annotated[
        float | None,
        typer.Option(
            help="How often a label must come first when the probing images are drawn again, 0 to 1. Default: 0.5."
        ),
    ] = None

    def given(self) -> dict[str, Any]:
        """The fields of a `Study` that they are; None where the user said nothing."""
        fields = {name: getattr(self, name) for name in ("concepts", "similarity", "pooling", "fdr", "min_stability")}
        return {**fields, "prompts": self.prompt or None}


@dataclass(frozen=True)
class ModelFlags:
    """How a user describes one model on the command line; several, or long ones, are files."""

    weights: Annotated[
        str | None,
        typer.Option(help="Your own weights: .safetensors, .pt, .pth, .pth.tar; or 'random'."),
    ] = None
    weights_partial: Annotated[bool, typer.Option("--weights-partial", help="Leave out weights that do not fit.")] = (
        False
    )
    classes: Annotated[str | None, typer.Option(help="A file with one class name a line, in logit order.")] = None
    num_classes: Annotated[int | None, typer.Option(help="How many classes.")] = None
    model_option: Annotated[
        list[str],
        typer.Option(metavar="KEY=VALUE", help="For the model's factory or server; repeatable."),
    ] = field(default_factory=list)
    mean: Annotated[str | None, typer.Option(help="Mean of RGB in [0, 1]: '0.5' or 'r,g,b'.")] = None
    std: Annotated[str | None, typer.Option(help="Standard deviation of RGB: '0.5' or 'r,g,b'.")] = None
    input_size: Annotated[str | None, typer.Option(help="Input size: '224' or 'height,width'.")] = None
    interpolation: Annotated[str | None, typer.Option(help="nearest, bilinear, bicubic, lanczos, box or hamming.")] = (
        None
    )
    geometry: Annotated[
        str | None,
        typer.Option(
            metavar="crop|squash",
            help="crop: resize and centre-crop as the model's config says (default); squash: straight to the size.",
        ),
    ] = None
    target_layer: Annotated[
        str | None,
        typer.Option(help="Where the CAM family looks; default: before the pooling."),
    ] = None
    activation: Annotated[
        str | None,
        typer.Option(
            metavar="softmax|sigmoid|none",
            help="What makes probabilities of the outputs; none: they are probabilities. Default: as the model says.",
        ),
    ] = None
    device: Annotated[
        str | None, typer.Option(help="cpu (default), cuda, cuda:1 or mps; for all models of the command.")
    ] = None

    def given(self) -> dict[str, Any]:
        """The fields of a `ModelConfig` that the user set and that describe one model."""
        from lumiscope.models import parse_model_options

        fields = {
            "weights": self.weights,
            "weights_partial": self.weights_partial or None,
            "classes": self.classes,
            "num_classes": self.num_classes,
            "options": parse_model_options(self.model_option) or None,
            "mean": _numbers(self.mean, "--mean"),
            "std": _numbers(self.std, "--std"),
            "input_size": _whole_numbers(self.input_size, "--input-size"),
            "interpolation": self.interpolation,
            "geometry": self.geometry,
            "target_layer": self.target_layer,
            "activation": self.activation,
        }
        return {name: value for name, value in fields.items() if value is not None}


def model_configs(specs: list[str], flags: ModelFlags) -> list[ModelConfig]:
    """One config for each --model: a spec with the flags, or a file. Errors: `UsageError`."""
    from lumiscope.study import ModelConfig, load_model_config
    from lumiscope.study.config import validated

    given = flags.given()
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
    return [config.model_copy(update={"device": flags.device}) if flags.device else config for config in configs]


def one_model(spec: str, flags: ModelFlags) -> TorchModel | BlackBox:
    """Load the model that the command line describes."""
    from lumiscope.study import load_configured, model_names

    config = model_configs([spec], flags)[0]
    return load_configured(config, model_names([config])[0])


def split_list(text: str | None) -> list[str]:
    """The parts of a comma-separated list."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def method_options(pairs: list[str]) -> dict[str, dict[str, Any]]:
    """Turn `["lime.num_samples=500"]` into `{"lime": {"num_samples": 500}}`."""
    from lumiscope.models import parse_model_options

    options: dict[str, dict[str, Any]] = {}
    for pair in pairs:
        method, dot, rest = pair.partition(".")
        if not dot:
            raise UsageError(f"expected a method's option as METHOD.KEY=VALUE; got {pair!r}. So lime.num_samples=500.")
        options.setdefault(method, {}).update(parse_model_options([rest]))
    return options


def parse_target(text: str) -> str | int:
    """A class index where the text is a number, else a word or a class name."""
    return int(text) if re.fullmatch(r"-?[0-9]+", text) else text


def _numbers(text: str | None, flag: str) -> list[float] | None:
    try:
        return [float(part) for part in split_list(text)] or None
    except ValueError as error:
        raise UsageError(f"expected {flag} as one number or three with commas; got {text!r}") from error


def _whole_numbers(text: str | None, flag: str) -> list[int] | None:
    try:
        return [int(part) for part in split_list((text or "").replace("x", ","))] or None
    except ValueError as error:
        raise UsageError(f"expected {flag} as '224' or 'height,width'; got {text!r}") from error
