"""Results of a run as one self-contained HTML page, and maps as files. This room never touches a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumiscope.fronts import lazy_front
from lumiscope.report.map_files import write_maps
from lumiscope.report.unit_page import write_unit_page
from lumiscope.report.write import write_report

if TYPE_CHECKING:
    from lumiscope.report.tuning_plot import check_plot, plot_tuning

# A search for LIME's parameters, which this plots, needs torch; a report does not.
_HOMES = {"tuning_plot": ("check_plot", "plot_tuning")}

__all__ = ["check_plot", "plot_tuning", "write_maps", "write_report", "write_unit_page"]

__getattr__ = lazy_front(__name__, _HOMES)
