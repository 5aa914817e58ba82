"""The choice of units that a report shows cards of, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumiscope.dissection import shown_units
from lumiscope.runs import ShownUnitRow, UnitRow
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy


@stage("shown_units")
class ShownUnits(Stage):
    """Chooses the clearest units of each layer, and some that got no label."""

    needs = (UnitRow,)
    writes = (ShownUnitRow,)

    def applies(self, study: OpenStudy) -> bool:
        """With probing images."""
        return study.probe is not None

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """See `lumiscope.dissection.shown_units`."""
        return Collected({ShownUnitRow: shown_units(tables.rows(UnitRow))})
