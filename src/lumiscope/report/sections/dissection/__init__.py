"""The section "Dissection"."""

from lumiscope.report.sections.dissection.section import dissection

__all__ = ["dissection"]
