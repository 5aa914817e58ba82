"""The section "Places"."""

from lumiscope.report.sections.audit.section import audit

__all__ = ["audit"]
