"""Results of a run as one self-contained HTML page. This room never touches a model."""

from lumiscope.report.write import write_report

__all__ = ["write_report"]
