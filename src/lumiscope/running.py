"""The whole way of a study: computed, then reported."""

from __future__ import annotations

from lumiscope.progress import Track, silent
from lumiscope.report import write_report
from lumiscope.runs import Run
from lumiscope.study import Study, compute


def run(study: Study, *, command: str | None = None, track: Track = silent) -> Run:
    """Compute a study and write its run folder with the report.

    Only what the store lacks is computed, so a run that was stopped goes on where it was; while another process makes
    this very run, it is waited for. `command`: how a user would make this run again, for the report.
    Errors: `UsageError` before anything is computed.
    """
    return compute(study, command=command, track=track, then=lambda finished: write_report(finished))
