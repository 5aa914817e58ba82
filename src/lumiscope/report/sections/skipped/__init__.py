"""The section "Skipped"."""

from lumiscope.report.sections.skipped.section import skipped

__all__ = ["skipped"]
