"""The section "Trust"."""

from lumiscope.report.sections.trust.section import trust

__all__ = ["trust"]
