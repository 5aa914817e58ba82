"""Results of a run as one self-contained HTML page, and maps as files. This room never touches a model."""

from lumiscope.report.map_files import write_maps
from lumiscope.report.unit_page import write_unit_page
from lumiscope.report.write import write_report

__all__ = ["write_maps", "write_report", "write_unit_page"]
