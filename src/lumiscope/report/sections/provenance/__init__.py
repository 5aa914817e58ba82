"""The section "How it was made"."""

from lumiscope.report.sections.provenance.section import provenance

__all__ = ["provenance"]
