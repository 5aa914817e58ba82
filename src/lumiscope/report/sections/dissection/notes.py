"""What must be known before the labels are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lumiscope.concepts import OTHER
from lumiscope.counts import counted
from lumiscope.report.numbers import percent
from lumiscope.runs import CategoryRow, LayerRow, Manifest, Reason, RunReader


def notes(run: RunReader) -> Iterator[str]:
    """Where the labels come from, how many units got one, and what few images support."""
    yield from _sources(run.manifest)
    models = [row for row in run.rows(LayerRow) if row.layer is None]
    shares = [row for row in run.rows(CategoryRow) if row.layer is None]
    if any(row.units for row in models):
        yield _outcome(models, shares)
    yield from run.manifest.similarity_notes


def _sources(manifest: Manifest) -> Iterator[str]:
    if probe := manifest.probe:
        yield f"The units were named from {counted(probe.count, 'probing image')} ({probe.source})."
    if concepts := manifest.concepts:
        known = f"{counted(concepts.count, 'concept')} of the set “{concepts.name}”"
        share = concepts.other_share
        unseen = f"; {percent(share)} of them are in the category “{OTHER}”" if share else ""
        yield f"Names come from {known}{unseen}."


def _outcome(models: Sequence[LayerRow], shares: Sequence[CategoryRow]) -> str:
    units = sum(row.units for row in models)
    labelled = sum(row.labelled for row in models)
    other = sum(row.units for row in shares if row.category == OTHER)
    of_them = f" ({percent(other / units)} one of the category “{OTHER}”)" if other else ""
    refused = {reason: sum(row.refused.get(reason, 0) for row in models) for reason in Reason}
    why = ", ".join(f"{count} {reason}" for reason, count in refused.items() if count)
    text = f"Of all {counted(units, 'unit')}, {percent(labelled / units)} got a label{of_them}."
    return f"{text} The others: {why}." if why else text
