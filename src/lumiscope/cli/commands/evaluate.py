"""`lumiscope evaluate`: how far the explanations of a run can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import JSON
from lumiscope.cli.output import print_rows, progress, say


@command("evaluate", order=75)
def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    metrics: Annotated[
        str | None,
        typer.Option(help="Trust metrics with commas, wildcards allowed; lumiscope methods --metrics lists them."),
    ] = None,
    json: JSON = False,
) -> None:
    """Judge the explanations of a run: how far they can be believed.

    Adds what is missing to the run, tables and report, and computes nothing else again. Shows the mean of each method
    and metric beside the map that knows nothing it is compared with; p: that the method is no better than that, not
    corrected. A run that was moved is evaluated where it lies, if its images and models are still where they were.

    \b
        lumiscope evaluate runs/world
        lumiscope evaluate runs/world --metrics 'single_deletion*,abpc'
    """
    import dataclasses

    from lumiscope.running import run as run_study
    from lumiscope.runs import Run, TrustSummaryRow, as_json
    from lumiscope.study import load_study, split_list

    folder = Run.open(run).folder
    study = load_study(folder / "study.toml")
    asked = None if metrics is None else split_list(metrics)
    there = dataclasses.replace(study.run, trust=True, metrics=asked, name=folder.name, runs=str(folder.parent))
    finished = run_study(study.model_copy(update={"run": there}), track=progress)
    rows = [as_json(row) for row in finished.rows(TrustSummaryRow)]
    names = ["model", "metric", "method", "images", "mean", "low", "high", "null", "null_mean", "p_value"]
    print_rows(rows if json else [row for row in rows if not row["baseline"]], names, as_json=json)
    if not json:
        say(f"The report has curves and baselines: {finished.folder / 'report.html'}")
    if finished.skipped:
        raise typer.Exit(3)
