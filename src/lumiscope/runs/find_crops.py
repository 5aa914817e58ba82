"""Where a unit of a finished run fires, as far as the run has it."""

from __future__ import annotations

from lumiscope.runs.reader import RunReader
from lumiscope.runs.tables import UnitCropRow, UnitRow


def find_crops(run: RunReader, unit: UnitRow) -> list[UnitCropRow]:
    """The rows of one unit; none where the report shows no card of it."""
    address = (unit.model, unit.layer, unit.unit)
    return [row for row in run.rows(UnitCropRow) if (row.model, row.layer, row.unit) == address]
