"""The section "Summary"."""

from lumiscope.report.sections.summary.section import summary

__all__ = ["summary"]
