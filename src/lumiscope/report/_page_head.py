"""The top of the page: which run this is, and what was done."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.counts import counted
from lumiscope.report.numbers import date
from lumiscope.runs import ImageRow, LayerRow, ModelRow, RunReader


@dataclass(frozen=True)
class PageHead:
    """What stands above the sections. `scope`: what was looked at, in one line. `finished`: when."""

    title: str
    description: str | None
    scope: str
    finished: str


def page_head(run: RunReader) -> PageHead:
    """The head of a run's report."""
    return PageHead(run.name, run.manifest.description, _scope(run), date(run.manifest.finished))


def _scope(run: RunReader) -> str:
    images = run.rows(ImageRow)
    parts = [counted(len(images), "image")] if images else []
    parts.append(counted(len(run.rows(ModelRow)), "model"))
    if methods := run.manifest.methods:
        parts.append(counted(len(methods), "explanation method"))
    if layers := sum(row.layer is not None for row in run.rows(LayerRow)):
        probe = run.manifest.probe
        probing = f" with {counted(probe.count, 'probing image')}" if probe else ""
        parts.append(f"{counted(layers, 'layer')} dissected{probing}")
    return " · ".join(parts)
