"""The section "Agreement"."""

from lumiscope.report.sections.agreement.section import agreement

__all__ = ["agreement"]
