"""The section "Images"."""

from lumiscope.report.sections.images.section import images

__all__ = ["images"]
