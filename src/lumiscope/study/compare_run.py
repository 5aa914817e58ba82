"""The agreement of a finished run, under its own rules or others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from lumiscope.agreement import Agreement, compare, summarise
from lumiscope.study.run_folder import Run
from lumiscope.types import SaliencyMap


@dataclass(frozen=True)
class RunAgreement:
    """`by_image`: one row an image and pair. `summary`: means over images."""

    by_image: pa.Table
    summary: pa.Table


def compare_run(run: Run, *, masks: Mapping[str, str] | None = None) -> RunAgreement:
    """Compare the maps of a run. `masks`: rules that replace the run's own; None: what the run has."""
    if masks is None:
        return RunAgreement(run.table("agreement"), run.table("agreement_summary"))
    agreements = [_compare_model(run, model, masks) for model in run.table("models")["model"].to_pylist()]
    return RunAgreement(
        pa.concat_tables([agreement.to_table() for agreement in agreements]),
        summarise(agreements, seed=run.study.seed),
    )


def _compare_model(run: Run, model: str, masks: Mapping[str, str]) -> Agreement:
    maps: dict[str, list[SaliencyMap]] = {}
    for row in run.table("explanations").to_pylist():
        if row["model"] == model:
            maps.setdefault(row["image"], []).append(run.saliency_map(model, row["image"], row["method"]))
    pieces = []
    for image, own in maps.items():
        mask = run.truth(model, image)
        truth = {} if mask is None else {image: mask}
        pieces.append(compare(own, masks={**run.mask_rules, **masks}, truth=truth, model=model))
    return Agreement(tuple(row for piece in pieces for row in piece.rows), model)
