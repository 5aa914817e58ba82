"""The section "Network Dissection"."""

from lumiscope.report.sections.network_dissection.section import network_dissection

__all__ = ["network_dissection"]
