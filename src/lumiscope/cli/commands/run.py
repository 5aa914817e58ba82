"""`lumiscope run`: everything, end to end."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lumiscope.cli.command import command
from lumiscope.cli.map_warnings import MapWarnings
from lumiscope.cli.options import (
    JSON,
    BackendOption,
    ImagesOption,
    LabelFlags,
    LayersOption,
    LimeParamsOption,
    MethodOption,
    ModelFlags,
    ModelsOption,
    PrecisionOption,
    ProbeOption,
    ScorerOption,
    method_options,
    model_configs,
    parse_target,
    split_list,
)
from lumiscope.cli.output import print_json, progress, say

HELP = """Explain, dissect and compare: everything, in one report.

\b
    lumiscope run
    lumiscope run --images photos/ --model timm:resnet50.a1_in1k
    lumiscope run --images labels.csv --model timm:resnet18 --weights mine.pth --classes names.txt
    lumiscope run --config study.toml

Without models and images it is the built-in study: two small networks and pictures that come with lumiscope.

Stopped half-way? The same command goes on where it was: results are kept in `runs/.store`.
"""


@command("run", order=10, help=HELP)
def run(
    images: ImagesOption = None,
    model: ModelsOption = None,
    probe: ProbeOption = None,
    methods: Annotated[
        str | None,
        typer.Option(help="Methods with commas, wildcards allowed. Default: gradcam,ablationcam,scorecam,lime."),
    ] = None,
    option: MethodOption = None,
    target: Annotated[
        str | None, typer.Option(help="What to explain: 'predicted' (default), 'label', a class index or name.")
    ] = None,
    masks: Annotated[
        str | None, typer.Option(help="Rules that make masks: 'gradcam=max:0.5,lime=lime'; rules: {mask_rules}.")
    ] = None,
    layers: LayersOption = None,
    scorer: ScorerOption = None,
    naming: LabelFlags = LabelFlags(),  # noqa: B008 - frozen
    annotations: Annotated[
        str | None,
        typer.Option(help="A folder that says what is at each pixel of the probing images: Network Dissection."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="All random choices derive from it. Default: 0.")] = None,
    description: Annotated[str | None, typer.Option(help="A few sentences for the head of the report.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run folder. Default: made from the study.")] = None,
    runs: Annotated[str | None, typer.Option(help="Folder of run folders and of the store. Default: runs.")] = None,
    backend: BackendOption = None,
    precision: PrecisionOption = None,
    lime_params: LimeParamsOption = None,
    on_error: Annotated[
        str | None, typer.Option(metavar="skip|stop", help="What a bad image does. Default: skip (exit code 3).")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A study file; flags given beside it win.")] = None,
    save_config: Annotated[Path | None, typer.Option(help="Write the study file and end.")] = None,
    flags: ModelFlags = ModelFlags(),  # noqa: B008 - frozen
    json: JSON = False,
) -> None:
    """Build the study from file and flags, run it, say where the report is."""
    from lumiscope.errors import UsageError
    from lumiscope.report import run as run_study
    from lumiscope.study import Study, save_study
    from lumiscope.study.config import validated

    given: dict[str, Any] = {
        "images": images,
        "models": [one.model_dump(exclude_unset=True) for one in model_configs(model, flags)] if model else None,
        "probe": probe,
        "methods": split_list(methods) or None,
        "options": method_options(option or []) or None,
        "target": None if target is None else parse_target(target),
        "masks": _rules(masks),
        "layers": split_list(layers) or None,
        "scorer": scorer,
        **naming.given(),
        "annotations": annotations,
        "seed": seed,
        "backend": backend,
        "precision": precision,
        "lime_params": None if lime_params is None else str(lime_params),
        "description": description,
        "name": name,
        "runs": runs,
        "on_error": on_error,
    }
    if not model and flags.given():
        raise UsageError("options of a model were given without --model")
    base = _base(config, given)
    fields = {**base, **{field: value for field, value in given.items() if value is not None}}
    if given["options"] is not None:
        before = base.get("options", {})
        fields["options"] = before | {name: before.get(name, {}) | new for name, new in given["options"].items()}
    if not fields.get("models"):
        raise UsageError(
            "expected a model: --model timm:resnet50.a1_in1k, or [[models]] in --config FILE. "
            "Without --images, --probe and --scorer, too, it would be the built-in study."
        )
    if flags.device and not model:
        fields["models"] = [{**one, "device": flags.device} for one in fields["models"]]
    study = validated(Study, fields, "the command line")
    if save_config:
        study.check()
        save_study(study, save_config)
        say(f"wrote {save_config}; run it with: lumiscope run --config {save_config}")
        return
    result = run_study(study, command=shlex.join(["lumiscope", *sys.argv[1:]]), track=progress)
    _tell(result, as_json=json)
    if result.skipped:
        raise typer.Exit(3)


def _base(config: Path | None, given: dict[str, Any]) -> dict[str, Any]:
    """The study that the flags change: that of the file; the built-in one where nothing says what to look at."""
    from lumiscope.study import builtin_study, load_study

    if config:
        return load_study(config).model_dump(exclude_unset=True)
    if any(given[field] is not None for field in ("images", "models", "probe", "scorer")):
        return {}
    builtin = builtin_study().model_dump(exclude_unset=True)
    if any(value is not None for field, value in given.items() if field not in ("name", "runs", "on_error")):
        del builtin["name"]  # another study: it must not take the place of the built-in one
    return builtin


def _rules(masks: str | None) -> dict[str, str] | None:
    from lumiscope.agreement import parse_rules

    return parse_rules(masks) if masks else None


def _tell(result: Any, *, as_json: bool) -> None:
    report = result.folder / "report.html"
    findings = result.table("findings").to_pylist()
    if as_json:
        print_json({"run": str(result.folder), "report": str(report), "findings": findings, "skipped": result.skipped})
        return
    for choice in result.manifest.get("backends") or []:
        say(f"{choice['model']} run by {choice['backend']}, {choice['precision']}: {choice['why']}")
    for finding in findings:
        say(f"• {finding['claim']}")
    warnings = MapWarnings()
    for row in result.table("explanations").select(["image", "method", "details"]).to_pylist():
        warnings.add(row["image"], row["method"], json.loads(row["details"]).get("warnings", ()))
    for line in warnings.counts():
        say(line)
    for row in result.skipped:
        say(f"skipped {row['what']} {row['name']}: {row['reason']}")
    print(report)
