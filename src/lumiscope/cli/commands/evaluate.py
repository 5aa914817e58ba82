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
    and metric beside that of the map that knows nothing which is hardest to beat; p: that the method is no better than
    any of those, not corrected. A run that was moved is evaluated where it lies, if its images and models are still
    where they were.

    \b
        lumiscope evaluate runs/world
        lumiscope evaluate runs/world --metrics 'single_deletion*,abpc'
    """
    import dataclasses

    from lumiscope.errors import UsageError
    from lumiscope.running import run as run_study
    from lumiscope.runs import Run, TrustMetricRow, TrustSummaryRow, as_json
    from lumiscope.study import load_study, split_list
    from lumiscope.trust import METRICS, default_metrics

    standing = Run.open(run)
    folder = standing.folder
    study = load_study(folder / "study.toml")
    if study.explain.images is None:
        raise UsageError(f"expected a run that explains images; {folder} has no explanations to judge")
    default = default_metrics()
    there = {row.metric for row in standing.rows(TrustMetricRow)}
    asked = default if metrics is None else METRICS.select(split_list(metrics))
    # Names are written down where they say more than that nobody named any: else an image's needs decide.
    wanted = None if metrics is None and there <= {*default} else [*there, *asked]
    again = dataclasses.replace(study.run, trust=True, metrics=wanted, name=folder.name, runs=str(folder.parent))
    finished = run_study(study.model_copy(update={"run": again}), track=progress)
    rows = [as_json(row) for row in finished.rows(TrustSummaryRow)]
    names = ["model", "metric", "method", "images", "mean", "low", "high", "null", "null_mean", "p_value"]
    print_rows(rows if json else [row for row in rows if not row["baseline"]], names, as_json=json)
    if not json:
        say(f"The report has curves and baselines: {finished.folder / 'report.html'}")
    if finished.skipped:
        raise typer.Exit(3)
