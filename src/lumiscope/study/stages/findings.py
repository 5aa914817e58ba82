"""The sentences of the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumiscope.runs import FindingRow
from lumiscope.study.findings import find, tables_needed
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy


@stage("findings")
class Findings(Stage):
    """Says what the tables support."""

    needs = tables_needed()
    writes = (FindingRow,)

    def applies(self, study: OpenStudy) -> bool:
        """Always."""
        return True

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """See `lumiscope.study.findings`."""
        return Collected({FindingRow: find(tables)})
