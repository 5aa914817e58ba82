"""The section "Extent and sharpness"."""

from lumiscope.report.sections.extent.section import extent

__all__ = ["extent"]
