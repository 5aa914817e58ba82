"""`lumiscope run`: everything, end to end."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lumiscope.cli.command import command
from lumiscope.cli.flags import Flags
from lumiscope.cli.map_warnings import MapWarnings
from lumiscope.cli.options import JSON, ModelFlags, ModelsOption, model_configs
from lumiscope.cli.output import print_data, print_json, progress, say
from lumiscope.counts import counted
from lumiscope.errors import UsageError
from lumiscope.study import DissectConfig, ExplainConfig, RunConfig

if TYPE_CHECKING:
    from lumiscope.runs import Run

Content = dict[str, Any]
"""A study as the tables of its file."""

HELP = """Explain, dissect and compare: everything, in one report.

\b
    lumiscope run
    lumiscope run --images photos/ --model timm:resnet50.a1_in1k
    lumiscope run --images labels.csv --model timm:resnet18 --weights mine.pth --classes names.txt
    lumiscope run --config study.toml

Without models and images it is the built-in study: two small networks and pictures that come with lumiscope.

Stopped half-way? The same command goes on where it was: results are kept in `runs/.store`. While another process makes
the same run, this one waits for it.
"""


@command("run", order=10, help=HELP)
def run(
    model: ModelsOption = None,
    explain: Flags[ExplainConfig] = Flags(),  # noqa: B008 - frozen
    dissect: Flags[DissectConfig] = Flags(),  # noqa: B008
    run: Flags[RunConfig] = Flags(),  # noqa: B008
    flags: ModelFlags = Flags(),  # noqa: B008
    config: Annotated[Path | None, typer.Option(help="A study file; flags given beside it win.")] = None,
    save_config: Annotated[Path | None, typer.Option(help="Write the study file and end.")] = None,
    json: JSON = False,
) -> None:
    """Build the study from file and flags, run it, say where the report is."""
    from lumiscope.running import run as run_study
    from lumiscope.study import Study, save_study, validated

    given: dict[str, Mapping[str, Any]] = {"run": run.given, "explain": explain.given, "dissect": dissect.given}
    content = _changed(_base(config, given, bool(model)), given)
    content["models"] = _models(model, flags, content.get("models"))
    study = validated(Study, content, "the command line")
    if save_config:
        study.check()
        save_study(study, save_config)
        say(f"wrote {save_config}; run it with: lumiscope run --config {save_config}")
        return
    finished = run_study(study, command=shlex.join(["lumiscope", *sys.argv[1:]]), track=progress)
    _tell(finished, as_json=json)
    if finished.skipped:
        raise typer.Exit(3)


def _base(config: Path | None, given: Mapping[str, Mapping[str, Any]], has_model: bool) -> Content:
    """The study that the flags change: that of the file; the built-in one where nothing says what to look at."""
    from lumiscope.study import builtin_study, content_of, load_study

    if config:
        return content_of(load_study(config))
    if has_model or given["explain"].get("images") or {"probe", "scorer"} & given["dissect"].keys():
        return {}
    builtin = content_of(builtin_study())
    if given["explain"] or given["dissect"] or given["run"].keys() - {"name", "runs", "on_error"}:
        del builtin["run"]["name"]  # another study: it must not take the place of the built-in one
    return builtin


def _changed(base: Content, given: Mapping[str, Mapping[str, Any]]) -> Content:
    """A study with what the flags say; options of a method that they do not name stay."""
    content = {**base, **{table: {**base.get(table, {}), **fields} for table, fields in given.items()}}
    options = base.get("explain", {}).get("options", {})
    for method, given_options in given["explain"].get("options", {}).items():
        options = {**options, method: {**options.get(method, {}), **given_options}}
    if options:
        content["explain"]["options"] = options
    return content


def _models(specs: list[str] | None, flags: ModelFlags, base: list[Content] | None) -> list[Any]:
    """The models of the flags, else those of the file. Errors: `UsageError` where there is none."""
    if specs:
        return list(model_configs(specs, flags))
    if flags.given.keys() - {"device"}:
        raise UsageError("options of a model were given without --model")
    if not base:
        raise UsageError(
            "expected a model: --model timm:resnet50.a1_in1k, or [[models]] in --config FILE. "
            "Without --images, --probe and --scorer, too, it would be the built-in study."
        )
    return [{**model, **flags.given} for model in base]


def _tell(finished: Run, *, as_json: bool) -> None:
    from lumiscope.runs import ExplanationRow, FindingRow
    from lumiscope.runs import as_json as row_as_json

    report = finished.folder / "report.html"
    findings, skipped = finished.rows(FindingRow), finished.skipped
    if as_json:
        print_json(
            {
                "run": str(finished.folder),
                "report": str(report),
                "findings": [row_as_json(row) for row in findings],
                "skipped": [row_as_json(row) for row in skipped],
            }
        )
        return
    for source in (finished.manifest.images, finished.manifest.probe):
        for note in () if source is None else source.notes:
            say(note)
    for choice in finished.manifest.backends:
        say(f"{choice.model} run by {choice.backend}, {choice.precision}: {choice.why}")
    for finding in findings:
        if not finding.outcome.is_open:
            say(f"• {finding.text}")
    if left_open := sum(finding.outcome.is_open for finding in findings):
        say(f"left open: {counted(left_open, 'question')}; the report has them all")
    warnings = MapWarnings()
    for row in finished.rows(ExplanationRow):
        warnings.add(row.image, row.method, row.warnings)
    for line in warnings.counts():
        say(line)
    for left_out in skipped:
        say(f"skipped {left_out.what} {left_out.name}: {left_out.reason}")
    print_data(report)
