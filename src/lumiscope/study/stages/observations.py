"""What there is to see on each map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumiscope.runs import AgreementRow, MapShapeRow, ObservationRow
from lumiscope.study.findings import observe
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy


@stage("observations")
class Observations(Stage):
    """Describes each map in a line."""

    needs = (MapShapeRow, AgreementRow)
    writes = (ObservationRow,)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain."""
        return study.images is not None

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """See `lumiscope.study.findings.observe`."""
        return Collected({ObservationRow: observe(tables)})
